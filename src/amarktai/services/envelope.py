"""Envelope encryption: each secret under a key of its own, that key wrapped, both bound to their row.

AES-256-GCM twice. The associated data name purpose, user, name and version, so that a ciphertext that
is moved to another row, or brought back from an earlier version, does not open.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from amarktai.domain.errors import Unavailable
from amarktai.ports.rng import Rng
from amarktai.ports.secrets import Kek, KeyRing, Sealed, SecretPlace

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class SecretUnreadable(Unavailable):
    """A stored secret does not open: it was changed, moved, or its encryption key is not there."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            "SECRET_UNREADABLE",
            detail,
            "Save it anew. If you cannot explain this, somebody changed the database: look at the audit log.",
        )


def seal(plaintext: bytes, place: SecretPlace, kek: Kek, rng: Rng) -> Sealed:
    """Return the secret encrypted for this row."""
    data_key = rng.bytes(KEY_BYTES)
    return Sealed(
        version=place.version,
        kek_id=kek.id,
        wrapped_key=_encrypt(kek.key, data_key, _wrapping(place, kek), rng),
        ciphertext=_encrypt(data_key, plaintext, _content(place), rng),
    )


def unseal(sealed: Sealed, place: SecretPlace, ring: KeyRing) -> bytes:
    """Return the secret. Raises: SecretUnreadable when it is not this row's, or its key is not known."""
    data_key = _unwrap(sealed, place, ring)
    return _decrypt(data_key, sealed.ciphertext, _content(place))


def rewrap(sealed: Sealed, place: SecretPlace, ring: KeyRing, rng: Rng) -> Sealed:
    """Return the secret with its key wrapped by the ring's present key. Raises: SecretUnreadable."""
    data_key, kek = _unwrap(sealed, place, ring), ring.current
    wrapped = _encrypt(kek.key, data_key, _wrapping(place, kek), rng)
    return Sealed(sealed.version, kek.id, wrapped, sealed.ciphertext)


def _unwrap(sealed: Sealed, place: SecretPlace, ring: KeyRing) -> bytes:
    kek = ring.get(sealed.kek_id)
    if kek is None:
        raise SecretUnreadable(f"A secret needs the encryption key {sealed.kek_id}, which is not there.")
    return _decrypt(kek.key, sealed.wrapped_key, _wrapping(place, kek))


def _content(place: SecretPlace) -> bytes:
    return f"amarktai|1|{place.purpose}|{place.user_id}|{place.name}|{place.version}".encode()


def _wrapping(place: SecretPlace, kek: Kek) -> bytes:
    return _content(place) + f"|{kek.id}".encode()


def _encrypt(key: bytes, plaintext: bytes, bound_to: bytes, rng: Rng) -> bytes:
    nonce = rng.bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound_to)


def _decrypt(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        # From None: the foreign error's frames hold the key.
        raise SecretUnreadable("An encrypted secret does not belong to its row, or was changed.") from None
