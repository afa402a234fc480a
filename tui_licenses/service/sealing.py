"""Seals a secret with a passphrase: Argon2id makes the key, AES-256-GCM encrypts.

Everything that is kept beside the encrypted bytes goes into the tag as well: nothing of it can be
changed, nor the secret be moved to another address or subject.
"""

from __future__ import annotations

import secrets

import msgspec

from tui_licenses.documents.passphrase import SALT_BYTES, Cost, derive_key
from tui_licenses.errors import FileError, SignInError, UseError
from tui_licenses.secret import Secret

PASSPHRASE_CHARACTERS_MINIMUM = 8
_NONCE_BYTES, _TAG_BYTES = 12, 16
_FORMAT = "tui-licenses sign-in 1"
# What is read back is bounded: a planted file must not cost minutes, or the memory of the host.
_MEMORY_KIB_MAXIMUM = 256 * 1024
_ITERATIONS_MAXIMUM = 16
_LANES_MAXIMUM = 16
_WORK_KIB_MAXIMUM = 1024 * 1024
_SEALED_BYTES_MAXIMUM = 64 * 1024


class Sealed(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """A sealed secret, as it is kept."""

    memory_kib: int
    iterations: int
    lanes: int
    salt: bytes
    nonce: bytes
    data: bytes


def check_passphrase(passphrase: Secret) -> Secret:
    """Return a passphrase that may be chosen; raises `UseError` (`passphrase-too-short`)."""
    if len(passphrase.reveal()) < PASSPHRASE_CHARACTERS_MINIMUM:
        raise UseError(
            "passphrase-too-short",
            f"A passphrase has {PASSPHRASE_CHARACTERS_MINIMUM} characters or more.",
            "Choose a longer one; four or five random words are easy to type.",
        )
    return passphrase


def seal(
    secret: Secret,
    passphrase: Secret,
    about: tuple[str, ...],
    cost: Cost = Cost(),  # noqa: B008 - frozen
) -> Sealed:
    """Return a secret sealed with a passphrase; only who says the same `about` can open it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    empty = Sealed(cost.memory_kib, cost.iterations, cost.lanes, salt, nonce, b"")
    key = _key(empty, passphrase)
    data = AESGCM(key).encrypt(nonce, secret.reveal().encode(), _header(empty, about))
    return msgspec.structs.replace(empty, data=data)


def unseal(sealed: Sealed, passphrase: Secret, about: tuple[str, ...]) -> Secret:
    """Return what was sealed.

    Raises `SignInError` (`passphrase-wrong`), and `FileError` (`file-damaged`) before anything is
    computed with costs beyond the bounds.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    _check_bounds(sealed)
    key = _key(sealed, passphrase)
    try:
        opened = AESGCM(key).decrypt(sealed.nonce, sealed.data, _header(sealed, about))
    except InvalidTag as error:
        raise SignInError(
            "passphrase-wrong",
            "The passphrase does not open the sign-in.",
            "Try again; if you are sure of it, the file was changed: sign in with "
            "`tui-licenses login`.",
        ) from error
    return Secret(opened.decode())


def _key(sealed: Sealed, passphrase: Secret) -> bytes:
    cost = Cost(sealed.memory_kib, sealed.iterations, sealed.lanes)
    return derive_key(passphrase.reveal(), sealed.salt, cost)


def _header(sealed: Sealed, about: tuple[str, ...]) -> bytes:
    kept = (sealed.memory_kib, sealed.iterations, sealed.lanes, sealed.salt, sealed.nonce)
    return msgspec.json.encode((_FORMAT, *about, *kept))


def _check_bounds(sealed: Sealed) -> None:
    is_bounded = (
        1 <= sealed.iterations <= _ITERATIONS_MAXIMUM
        and 1 <= sealed.lanes <= _LANES_MAXIMUM
        # RFC 9106: at least 8 KiB a lane.
        and 8 * sealed.lanes <= sealed.memory_kib <= _MEMORY_KIB_MAXIMUM
        and sealed.memory_kib * sealed.iterations <= _WORK_KIB_MAXIMUM
        and len(sealed.salt) == SALT_BYTES
        and len(sealed.nonce) == _NONCE_BYTES
        and _TAG_BYTES < len(sealed.data) <= _SEALED_BYTES_MAXIMUM
    )
    if not is_bounded:
        raise FileError(
            "file-damaged",
            "The sealed sign-in asks for what this program never wrote.",
            "Sign in again with `tui-licenses login`.",
        )
