"""The secrets of a cloud, sealed with a passphrase so that a backup can hold them.

Argon2id makes the key, AES-256-GCM encrypts. The costs are fixed by the format: a planted box
cannot ask for more of them.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import msgspec

from tui_licenses.documents.passphrase import SALT_BYTES, Cost, derive_key
from tui_licenses.errors import DocumentError, UseError
from tui_licenses.secret import Secret

PASSPHRASE_CHARACTERS_MINIMUM = 12

_FORMAT = b"tui-licenses backup keys 1"
_NONCE_BYTES = 12
# About 0.2 s and 64 MiB for each guess.
_COST = Cost(64 * 1024, 3, 1)


class KeyBox(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Sealed secrets as a backup holds them."""

    salt: bytes
    nonce: bytes
    data: bytes


def check_passphrase(passphrase: Secret) -> Secret:
    """Return a passphrase that may be chosen; raises `UseError` (`passphrase-too-short`)."""
    if len(passphrase.reveal()) < PASSPHRASE_CHARACTERS_MINIMUM:
        raise UseError(
            "passphrase-too-short",
            f"A passphrase for keys has {PASSPHRASE_CHARACTERS_MINIMUM} characters or more.",
            "Choose a longer one; five random words are easy to type.",
        )
    return passphrase


def seal_keys(keys: Mapping[str, bytes], passphrase: Secret) -> KeyBox:
    """Return secrets, by the end of their file's name, sealed with a passphrase."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    cipher = AESGCM(derive_key(passphrase.reveal(), salt, _COST))
    return KeyBox(salt, nonce, cipher.encrypt(nonce, msgspec.json.encode(keys), _FORMAT))


def open_keys(box: KeyBox, passphrase: Secret) -> dict[str, bytes]:
    """Return what was sealed; raises `DocumentError` (`passphrase-wrong`)."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(derive_key(passphrase.reveal(), box.salt, _COST))
    try:
        opened = cipher.decrypt(box.nonce, box.data, _FORMAT)
    except (InvalidTag, ValueError) as error:
        raise DocumentError(
            "passphrase-wrong",
            "The passphrase does not open the keys in the backup.",
            "Try again, or put the .key files beside the database and leave the passphrase out.",
        ) from error
    return msgspec.json.decode(opened, type=dict[str, bytes])
