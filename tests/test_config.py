"""Settings come from variables and one file; what is wrong is refused with a way out."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from amarktai.config import PREFIX, Settings, is_loopback, load
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Platform
from amarktai.domain.provider import ProviderId
from tools.export_settings import PAGE, render


def test_the_defaults_need_nothing() -> None:
    settings = load({})
    assert (settings.host, settings.port, settings.home) == ("127.0.0.1", 8000, Path("var"))
    assert settings.bot_caps[Platform.LUNO] == 5 and settings.bot_caps[Platform.VALR] == 10


def test_stand_ins_are_named_for_every_exchange_that_is_followed() -> None:
    luno = '{"luno": "http://127.0.0.1:8130/", "openai": "https://models.example.org/v2"}'
    settings = load({"AMARKTAI_PROVIDER_URLS": luno, "AMARKTAI_LIVE_PLATFORMS": '["luno"]'})
    assert settings.provider_urls[ProviderId.OPENAI] == "https://models.example.org/v2"
    assert settings.exchange_urls == {Platform.LUNO: "http://127.0.0.1:8130"}
    ovex = {"AMARKTAI_PROVIDER_URLS": '{"ovex": "http://[::1]:1"}', "AMARKTAI_LIVE_PLATFORMS": '["ovex"]'}
    with pytest.raises(InvalidInput, match="lacks valr"):
        load(ovex)


def test_the_command_line_wins_over_variables_and_those_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "amarktai.toml").write_text("port = 1\nlog_level = 'error'\n[bot_caps]\nluno = 2\n")
    environ = {"AMARKTAI_HOME": str(tmp_path), "AMARKTAI_PORT": "2", "OTHER": "x"}
    settings = load(environ)
    assert (settings.port, settings.log_level, settings.bot_caps[Platform.LUNO]) == (2, "error", 2)
    assert settings.bot_caps[Platform.KUCOIN] == 10
    assert load(environ, port=3, host=None).port == 3
    assert load({}, home=tmp_path).port == 1


def test_the_config_variable_names_another_file(tmp_path: Path) -> None:
    path = tmp_path / "else.toml"
    path.write_text("port = 5")
    assert load({"AMARKTAI_CONFIG": str(path)}).port == 5
    with pytest.raises(InvalidInput, match="does not exist"):
        load({"AMARKTAI_CONFIG": str(tmp_path / "none.toml")})
    path.write_text("port = ")
    with pytest.raises(InvalidInput, match="not valid TOML"):
        load({"AMARKTAI_CONFIG": str(path)})
    with pytest.raises(InvalidInput, match="cannot be read"):
        load({"AMARKTAI_CONFIG": str(tmp_path)})


def test_unknown_names_are_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="AMARKTAI_PROT in the environment; did you mean AMARKTAI_PORT"):
        load({"AMARKTAI_PROT": "1"})
    path = tmp_path / "amarktai.toml"
    path.write_text("sesion_idle_minutes = 5")
    with pytest.raises(InvalidInput, match="did you mean session_idle_minutes"):
        load({"AMARKTAI_HOME": str(tmp_path)})


@given(st.sampled_from(sorted(Settings.model_fields)), st.integers(0, 40))
def test_every_misspelt_name_is_refused(name: str, at: int) -> None:
    misspelt = name[: at % len(name)] + "zz" + name[at % len(name) :]
    with pytest.raises(InvalidInput, match="Unknown setting"):
        load({PREFIX + misspelt.upper(): "1"})


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"AMARKTAI_HOST": "0.0.0.0"}, "AMARKTAI_BEHIND_TLS_PROXY=true"),
        ({"AMARKTAI_HOST": "trade.example.org"}, "AMARKTAI_HOST=127.0.0.1"),
        ({"AMARKTAI_PORT": "70000"}, "port"),
        ({"AMARKTAI_TIMEZONE": "Africa/Johanesburg"}, "did you mean Africa/Johannesburg"),
        ({"AMARKTAI_ADMIN_EMAIL": "a@b.c"}, "belong together"),
        ({"AMARKTAI_DATABASE_OWNER_URL": "postgresql://x"}, "needs database_url"),
        ({"AMARKTAI_PUBLIC_ORIGINS": '["trade.example.org"]'}, "https://host"),
        ({"AMARKTAI_BOT_CAPS": "{luno"}, "JSON"),
        ({"AMARKTAI_BOT_CAPS": '{"luno": -1}'}, "0 or more"),
        ({"AMARKTAI_BOT_CAPS": '{"mtgox": 1}'}, "bot_caps"),
        ({"AMARKTAI_PROVIDER_URLS": '{"openai": "http://models.example.org"}'}, "clear text"),
        ({"AMARKTAI_PROVIDER_URLS": '{"openai": "models.example.org"}'}, "https://host"),
        ({"AMARKTAI_PROVIDER_URLS": '{"openai": "https://models.example.org/?key=1"}'}, "https://host"),
        ({"AMARKTAI_PROVIDER_URLS": '{"luno": "http://127.0.0.1:9"}'}, "lacks binance, kucoin, ovex, valr"),
    ],
)
def test_wrong_values_are_named(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        load(environ)
    assert sentence in refusal.value.detail


def test_a_refusal_never_repeats_a_secret() -> None:
    with pytest.raises(InvalidInput) as refusal:
        load({"AMARKTAI_ADMIN_PASSWORD": "hunter2hunter2", "AMARKTAI_PORT": "x"})
    assert "hunter2" not in str(refusal.value) + refusal.value.action
    settings = load({"AMARKTAI_ADMIN_PASSWORD": "hunter2hunter2", "AMARKTAI_ADMIN_EMAIL": "a@b.c"})
    assert "hunter2" not in repr(settings)


def test_other_machines_are_let_in_behind_tls() -> None:
    assert load({"AMARKTAI_HOST": "0.0.0.0", "AMARKTAI_BEHIND_TLS_PROXY": "true"}).host == "0.0.0.0"


@given(st.ip_addresses())
def test_loopback_is_what_the_address_says(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert is_loopback(str(address)) == address.is_loopback
    assert is_loopback("localhost") and not is_loopback("localhost.example.org")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        load({}).port = 1


def test_every_setting_is_documented() -> None:
    assert all(field.description for field in Settings.model_fields.values())
    assert PAGE.read_text(encoding="utf-8") == render(), "run python tools/export_settings.py"


def test_the_encryption_key_comes_from_the_environment_under_both_names() -> None:
    for name in ("API_KEY_ENCRYPTION_KEY", "AMARKTAI_API_KEY_ENCRYPTION_KEY"):
        found = load({name: "the key"}).api_key_encryption_key
        assert found is not None and found.get_secret_value() == "the key"
        assert "the key" not in repr(load({name: "the key"}))
    assert load({}).api_key_encryption_key is None and load({"API_KEY_ENCRYPTION_KEY": ""}).key_file is None


def test_the_encryption_key_is_not_taken_from_the_settings_file(tmp_path: Path) -> None:
    (tmp_path / "amarktai.toml").write_text('api_key_encryption_key = "the key"')
    with pytest.raises(InvalidInput, match="must not lie with the data") as refusal:
        load({}, home=tmp_path)
    assert "the key" not in refusal.value.detail and "API_KEY_ENCRYPTION_KEY" in refusal.value.action
