"""Every setting, in one frozen object: from ``AMARKTAI_*`` variables or one TOML file.

A variable wins over the file. Unknown names are refused with the nearest right one, so that a
misspelt setting never falls back to its default in silence.
"""

from __future__ import annotations

import difflib
import ipaddress
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from amarktai.domain.bot import BOT_CAPS
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Platform
from amarktai.domain.provider import ProviderId

PREFIX: Final = "AMARKTAI_"
CONFIG_VARIABLE: Final = "AMARKTAI_CONFIG"
CONFIG_FILE: Final = "amarktai.toml"
CODE: Final = "SETTINGS"
ENCRYPTION_KEY_VARIABLE: Final = "API_KEY_ENCRYPTION_KEY"
ENCRYPTION_KEY_SETTING: Final = "api_key_encryption_key"


class Settings(BaseSettings):
    """The platform's settings. The texts below are also the documentation (docs/settings.md)."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True
    )

    home: Path = Field(
        default=Path("var"),
        description="Data folder: the embedded database, candles, recordings and generated secrets.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the API and dashboard listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port that the API and dashboard listen on.")
    behind_tls_proxy: bool = Field(
        default=False,
        description=(
            "A reverse proxy in front terminates TLS. Needed for any host that is not loopback; turns on "
            "secure cookies and HSTS."
        ),
    )
    public_origins: tuple[str, ...] = Field(
        default=(),
        description=(
            "Origins, besides the request's own host, from which browsers may use the API, "
            'such as ["https://trade.example.org"].'
        ),
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=("127.0.0.1", "::1"),
        description="Addresses whose X-Forwarded-For is believed, when behind_tls_proxy is on.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description=(
            "PostgreSQL to use instead of the embedded one, as the unprivileged role `app` "
            "(postgresql://app:…@host/db)."
        ),
    )
    database_owner_url: SecretStr | None = Field(
        default=None,
        description=(
            "The same PostgreSQL database as the role that owns the tables; migrations run as it. Without it "
            "an external database must already be at the right version."
        ),
    )
    database_backup_url: SecretStr | None = Field(
        default=None,
        description=(
            "The same PostgreSQL database as a role that reads every row (BYPASSRLS), for amarktai backup. "
            "The embedded database needs none."
        ),
    )
    database_pool_size: int = Field(
        default=10, ge=2, le=100, description="Most connections that one process keeps to PostgreSQL."
    )
    admin_email: str | None = Field(
        default=None, description="With admin_password: creates the first admin unattended."
    )
    admin_password: SecretStr | None = Field(
        default=None,
        description="With admin_email: creates the first admin unattended; weak ones are refused.",
    )
    key_file: Path | None = Field(
        default=None,
        description=(
            "File with the key that encrypts saved API keys; made at the first start, mode 0600, outside the "
            "data folder. Left out: beside the data folder, with .key after its name. Back it up, but not "
            "together with the data."
        ),
    )
    api_key_encryption_key: SecretStr | None = Field(
        default=None,
        description=(
            "That key itself instead of a file (base64 of 32 random bytes), only in the environment; "
            "API_KEY_ENCRYPTION_KEY, without the prefix, means the same."
        ),
    )
    step_up_minutes: int = Field(
        default=5,
        ge=1,
        le=60,
        description="How long a proof (second factor, or password) counts for changes of keys and factors.",
    )
    timezone: str = Field(
        default="Africa/Johannesburg",
        description="Timezone of new users, in which their days begin.",
    )
    data: Path = Field(
        default=Path("../shared/data"),
        description="Folder with recorded market data, for the example replays.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe log lines that are written."
    )
    log_format: Literal["console", "json"] = Field(
        default="console", description="How log lines look: for people or for programs."
    )
    feeds: Literal["live", "sandbox"] = Field(
        default="live",
        description="Market that bots see: the exchanges' public data, or the synthetic sandbox (labelled).",
    )
    live_platforms: tuple[Platform, ...] = Field(
        default=tuple(Platform),
        description="Exchanges whose public data is read when feeds is live.",
    )
    live_assets: tuple[str, ...] = Field(
        default=("BTC", "ETH", "BNB", "SOL", "XRP", "ADA", "DOGE", "LTC", "LINK", "AVAX", "TRX", "XLM"),
        description="Assets whose USDT markets are followed; every rand market is followed anyway.",
    )
    provider_urls: dict[ProviderId, str] = Field(
        default_factory=dict,
        description=(
            "Servers that take a provider's place, for its keys and, where it is an exchange, its prices "
            "too: twins (docs/twins.md), or one that speaks OpenAI's protocol. What they say is labelled."
        ),
    )
    sandbox_seed: int = Field(
        default=1, ge=0, description="Seed of the sandbox market; the same seed gives the same prices."
    )
    bot_caps: dict[Platform, int] = Field(
        default_factory=lambda: dict(BOT_CAPS),
        description="Most bots per user and platform; platforms left out keep their default.",
    )
    paper_latency_ms: int = Field(
        default=250,
        ge=0,
        le=60_000,
        description="Time from a paper order's decision to its arrival at the simulated exchange.",
    )
    record_feeds: bool = Field(
        default=True, description="Keep what live feeds deliver for instruments with bots, as Parquet."
    )
    record_disk_budget_mb: int = Field(
        default=2048,
        ge=16,
        description="Disk that recordings may take, in MB; the oldest go first.",
    )
    session_idle_minutes: int = Field(
        default=720, ge=5, le=43_200, description="A session ends after this long without a request."
    )
    session_absolute_days: int = Field(
        default=30, ge=1, le=365, description="A session ends this long after signing in, whatever happens."
    )
    invite_days: int = Field(default=7, ge=1, le=90, description="How long an invitation can be used.")
    login_tries_per_account: int = Field(
        default=10,
        ge=3,
        le=100,
        description="Failed sign-ins per account and hour before waiting is demanded.",
    )
    login_tries_per_address: int = Field(
        default=30,
        ge=3,
        le=10_000,
        description="Failed sign-ins per IP address and hour before waiting is demanded.",
    )
    event_retention_days: int = Field(
        default=7, ge=1, le=365, description="How long realtime events can be resumed from."
    )
    environment: str = Field(
        default="production", max_length=40, description="Name of this deployment, shown with the build."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from ``load`` alone: it has read the environment and the file, and checked both."""
        return (init_settings,)

    @field_validator("home", "data", "key_file")
    @classmethod
    def _expand(cls, value: Path | None) -> Path | None:
        return value.expanduser() if value is not None else None

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is not a timezone{_suggestion(value, available_timezones())}")
        return value

    @field_validator("bot_caps")
    @classmethod
    def _complete_caps(cls, value: dict[Platform, int]) -> dict[Platform, int]:
        if any(cap < 0 for cap in value.values()):
            raise ValueError("a cap is 0 or more")
        return {**BOT_CAPS, **value}

    @field_validator("public_origins")
    @classmethod
    def _plain_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            scheme, separator, host = origin.partition("://")
            if scheme not in ("http", "https") or not separator or not host or "/" in host:
                raise ValueError(
                    f"{origin!r} is not an origin; write it as https://host or https://host:port"
                )
        return value

    @field_validator("provider_urls")
    @classmethod
    def _safe_urls(cls, value: dict[ProviderId, str]) -> dict[ProviderId, str]:
        for url in value.values():
            try:
                check_server_url(url)
            except InvalidInput as error:
                raise ValueError(f"{error.detail}: {error.action}") from error
        return {provider: url.rstrip("/") for provider, url in value.items()}

    @property
    def exchange_urls(self) -> dict[Platform, str]:
        """Return the servers that take an exchange's place."""
        return {
            provider.platform: url
            for provider, url in self.provider_urls.items()
            if provider.platform is not None
        }

    def _check_stand_ins(self) -> None:
        """Real and made-up prices make no market together. OVEX may borrow VALR's."""
        needed = dict.fromkeys(self.live_platforms)
        if Platform.OVEX in needed:
            needed[Platform.VALR] = None
        real = [platform.value for platform in needed if platform not in self.exchange_urls]
        if self.exchange_urls and real:
            raise ValueError(
                "provider_urls lacks "
                f"{', '.join(real)}: real and made-up prices are not mixed, so name a server for every "
                "exchange of live_platforms (and for valr where ovex is, which may borrow its prices)"
            )

    @model_validator(mode="after")
    def _check_together(self) -> Settings:
        if not is_loopback(self.host) and not self.behind_tls_proxy:
            raise ValueError(
                f"host {self.host} can be reached from other machines, and without TLS passwords would cross "
                "the network in clear text. Put a reverse proxy with TLS in front and set "
                f"{PREFIX}BEHIND_TLS_PROXY=true, or set {PREFIX}HOST=127.0.0.1"
            )
        if (self.admin_email is None) != (self.admin_password is None):
            raise ValueError("admin_email and admin_password belong together: set both or neither")
        if self.database_owner_url is not None and self.database_url is None:
            raise ValueError("database_owner_url needs database_url, the same database as the role app")
        self._check_stand_ins()
        return self


def check_server_url(url: str) -> None:
    """Check that keys may be sent to an address: in clear text only to this machine. Raises: InvalidInput."""
    parts = urlsplit(url)
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise InvalidInput(
            CODE, f"{url!r} is no server's address", "write it as https://host or http://127.0.0.1:port"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise InvalidInput(
            CODE, f"{url!r} would carry keys in clear text", "use https, or a server on this machine"
        )


def is_on_this_machine(url: str | None) -> bool:
    """Return whether a server's address is this machine's own: a twin, where no money is real."""
    return url is not None and is_loopback(urlsplit(url).hostname or "")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load(environ: Mapping[str, str], **overrides: Any) -> Settings:
    """Read the settings: ``overrides`` (command line) over variables over the TOML file.

    Raises: InvalidInput that names the setting, where it came from and the nearest right name.
    """
    known = set(Settings.model_fields)
    variables = {name for name in environ if name.startswith(PREFIX) and name != CONFIG_VARIABLE}
    right_names = {PREFIX + name.upper() for name in known}
    _refuse_unknown(variables, right_names | {CONFIG_VARIABLE}, "the environment")
    from_environment = _environment_values(environ)
    home = Path(overrides.get("home") or from_environment.get("home") or "var").expanduser()
    path = Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else home / CONFIG_FILE
    unprefixed = environ.get(ENCRYPTION_KEY_VARIABLE)
    if unprefixed:
        from_environment.setdefault(ENCRYPTION_KEY_SETTING, unprefixed)
    from_file = _file_values(path, required=bool(environ.get(CONFIG_VARIABLE)))
    _refuse_unknown(from_file, known, str(path))
    if ENCRYPTION_KEY_SETTING in from_file:
        raise InvalidInput(
            CODE,
            f"{path} holds {ENCRYPTION_KEY_SETTING}, which must not lie with the data that it protects.",
            f"Give it in {ENCRYPTION_KEY_VARIABLE}, or let the platform keep it in its own key_file.",
        )
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**{**from_file, **from_environment, **given})
    except ValidationError as error:
        raise InvalidInput(CODE, _explain(error), "Correct the setting and start again.") from error


def _environment_values(environ: Mapping[str, str]) -> dict[str, Any]:
    source = EnvSettingsSource(Settings, env_prefix=PREFIX, env_ignore_empty=True, case_sensitive=False)
    source.env_vars = {
        name.lower(): value for name, value in environ.items() if name.startswith(PREFIX) and value
    }
    try:
        return source()
    except ValueError as error:
        raise InvalidInput(
            CODE, f"{error} (lists and tables are written as JSON in variables)", "Correct the variable."
        ) from error


def _file_values(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        if not required:
            return {}
        raise InvalidInput(
            CODE, f"{CONFIG_VARIABLE} names {path}, which does not exist.", "Create it or unset the variable."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(CODE, f"{path} is not valid TOML: {error}", "Correct the file.") from error
    except OSError as error:
        raise InvalidInput(
            CODE, f"{path} cannot be read: {error.strerror}", "Give this user the right to read it."
        ) from error


def _refuse_unknown(names: Iterable[str], right: set[str], where: str) -> None:
    for name in sorted(set(names) - right):
        raise InvalidInput(
            CODE,
            f"Unknown setting {name} in {where}{_suggestion(name, right)}",
            "Correct or remove it; docs/settings.md lists every setting.",
        )


def _suggestion(name: str, right: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(name, sorted(right), n=1, cutoff=0.4)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def _explain(error: ValidationError) -> str:
    """Name each wrong setting without repeating its value, which may be a secret."""
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in problem["loc"])
        text = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{name}: {text}" if name else text)
    return "; ".join(lines)
