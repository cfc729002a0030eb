"""The key-encryption keys: in a file that only its owner reads, or in the environment.

One key a line (or between commas), base64 of 32 random bytes, the present one first. More than one
is there only while a rotation runs.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path
from typing import Final

from amarktai.domain.errors import Conflict, InvalidInput, Unavailable
from amarktai.ports.rng import Rng
from amarktai.ports.secrets import Kek, KeyRing

VARIABLE: Final = "API_KEY_ENCRYPTION_KEY"
CODE: Final = "KEY_ENCRYPTION"
_KEY_BYTES: Final = 32
#: 32 random bytes nearly always hold 27 different ones or more; a typed pattern does not.
_FEWEST_DIFFERENT: Final = 20
_LONGEST_FILE: Final = 4_096
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MAKE_ONE: Final = "Make one with: openssl rand -base64 32"


class FileKeyRing:
    """Keys in a file of mode 0600, outside the data folder that it protects."""

    def __init__(self, path: Path, home: Path, rng: Rng) -> None:
        self._path = path.expanduser().absolute()
        self._home = home.expanduser().absolute()
        self._rng = rng
        self._rotating: int | None = None

    @property
    def place(self) -> str:
        return str(self._path)

    def exists(self) -> bool:
        return self._path.exists()

    def read(self) -> KeyRing:
        self._refuse_inside()
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError as error:
            raise Unavailable(
                CODE, f"The encryption key {self._path} is missing.", "Put it back from your backup."
            ) from error
        except OSError as error:
            raise InvalidInput(
                CODE,
                f"The encryption key {self._path} cannot be read: {error.strerror}",
                "It must be a plain file that the platform's user may read.",
            ) from error
        try:
            self._refuse_open(os.fstat(descriptor))
            text = os.read(descriptor, _LONGEST_FILE).decode("ascii", errors="replace")
        finally:
            os.close(descriptor)
        return parse_ring(text, self.place)

    def create(self) -> None:
        self._refuse_inside()
        key = base64.b64encode(self._rng.bytes(_KEY_BYTES)).decode() + "\n"
        draft = self._write_draft(key)
        try:
            os.link(draft, self._path)  # never replaces: of two who start at once, one makes it
        except FileExistsError:
            return
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            draft.unlink()
        self._sync_folder()

    def begin_rotation(self) -> KeyRing:
        self._lock_rotation()
        ring = self.read()
        if len(ring.keys) == 1:
            new = base64.b64encode(self._rng.bytes(_KEY_BYTES)).decode()
            self._replace([new, _text(ring.current)])
        return self.read()

    def finish_rotation(self) -> None:
        self._replace([_text(self.read().current)])
        for left in self._path.parent.glob(f".{self._path.name}.draft-*"):  # of one that was killed
            left.unlink(missing_ok=True)

    def _lock_rotation(self) -> None:
        """Let one process rotate at a time. The lock ends with the process, however that ends."""
        if self._rotating is not None:
            return
        descriptor = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise Conflict(CODE, "Another rotation runs already.", "Wait for its end.") from error
        self._rotating = descriptor

    def _replace(self, lines: list[str]) -> None:
        """Exchange the file's content at once: after a crash it is the old one or the new one, whole."""
        draft = self._write_draft("".join(f"{line}\n" for line in lines))
        draft.replace(self._path)
        self._sync_folder()

    def _write_draft(self, text: str) -> Path:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Made with mode 0600, under a name that nobody else has.
            descriptor, name = tempfile.mkstemp(prefix=f".{self._path.name}.draft-", dir=self._path.parent)
        except OSError as error:
            raise self._unwritable(error) from error
        draft = Path(name)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return draft

    def _sync_folder(self) -> None:
        descriptor = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _unwritable(self, error: OSError) -> InvalidInput:
        return InvalidInput(
            CODE,
            f"The encryption key cannot be written to {self._path}: {error.strerror}",
            f"Name another place in AMARKTAI_KEY_FILE, or give the key itself in {VARIABLE}.",
        )

    def _refuse_inside(self) -> None:
        if self._path.resolve().is_relative_to(self._home.resolve()):
            raise InvalidInput(
                CODE,
                f"The encryption key {self._path} is inside the data folder that it protects.",
                "Keep it elsewhere, so that no copy of the data holds its own key: set AMARKTAI_KEY_FILE.",
            )

    def _refuse_open(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise InvalidInput(CODE, f"The encryption key {self._path} is no plain file.", "Make it one.")
        if found.st_mode & _OTHERS:
            raise InvalidInput(
                CODE,
                f"The encryption key {self._path} is open to others (mode {found.st_mode & 0o777:04o}).",
                f"Close it with: chmod 600 {self._path}",
            )
        if found.st_uid != os.geteuid():
            raise InvalidInput(
                CODE,
                f"The encryption key {self._path} belongs to another user of this machine.",
                "Give it to the user that runs the platform.",
            )


class VariableKeyRing:
    """Keys in the environment variable ``API_KEY_ENCRYPTION_KEY``: whoever sets it rotates it."""

    def __init__(self, text: str) -> None:
        self._ring = parse_ring(text, VARIABLE)

    @property
    def place(self) -> str:
        return VARIABLE

    def exists(self) -> bool:
        return True

    def read(self) -> KeyRing:
        return self._ring

    def create(self) -> None:
        """Do nothing: it is there."""

    def begin_rotation(self) -> KeyRing:
        if len(self._ring.keys) == 1:
            raise InvalidInput(
                CODE,
                f"{VARIABLE} holds one key, so there is none to rotate to.",
                "Write the new key before the old one, with a comma between, restart everything with that, "
                f"and call this again. {_MAKE_ONE}",
            )
        return self._ring

    def finish_rotation(self) -> None:
        """Do nothing: the old key is taken out by whoever set the variable."""


def parse_ring(text: str, place: str) -> KeyRing:
    """Return the keys in ``text``. Raises: InvalidInput that never repeats what was there."""
    words = [word for word in re.split(r"[\s,]+", text) if word]
    if not words:
        raise InvalidInput(CODE, f"There is no encryption key in {place}.", _MAKE_ONE)
    return KeyRing(tuple(_kek(word, place) for word in words))


def _kek(word: str, place: str) -> Kek:
    try:
        key = base64.b64decode(word, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise InvalidInput(
            CODE,
            f"The encryption key in {place} is not base64 of {_KEY_BYTES} bytes. Passwords are not taken.",
            _MAKE_ONE,
        )
    if len(set(key)) < _FEWEST_DIFFERENT:
        raise InvalidInput(CODE, f"The encryption key in {place} is a pattern, not random.", _MAKE_ONE)
    return Kek(hashlib.sha256(b"amarktai encryption key|" + key).hexdigest()[:12], key)


def _text(kek: Kek) -> str:
    return base64.b64encode(kek.key).decode()
