"""Ed25519 keys: the ones that sign documents, and the public ones that verify them."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tui_licenses.documents.curve import is_sound_point
from tui_licenses.errors import DocumentError
from tui_licenses.files import read_private, write_private

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SEED_BYTES = 32
SIGNATURE_BYTES = 64
KEYID_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A checked Ed25519 public key; made by `import_public_key` or taken from a `SigningKey`."""

    raw: bytes

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the raw key in hex, as people compare and type it."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def keyid(self) -> str:
        """Return the first 16 hex digits of the fingerprint: a hint, not a proof."""
        return self.fingerprint[:KEYID_CHARACTERS]

    def is_signature(self, signature: bytes, message: bytes) -> bool:
        """Say whether `signature` over `message` was made with this key."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """A private Ed25519 key; its seed never appears in a representation or a log."""

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a seed of the wrong length (`DocumentError`, `bad-signing-key`)."""
        if len(self.seed) != SEED_BYTES:
            raise DocumentError(
                "bad-signing-key",
                f"A signing key has {SEED_BYTES} bytes; this one has {len(self.seed)}.",
                "Restore the signing key from its backup.",
            )

    @classmethod
    def generate(cls) -> SigningKey:
        """Return a new random key."""
        return cls(secrets.token_bytes(SEED_BYTES))

    @classmethod
    def load(cls, path: Path) -> SigningKey:
        """Read a key from a private file of 64 hex digits.

        Raises `FileError` (as `read_private` does) and `DocumentError` (`bad-signing-key`).
        """
        try:
            seed = bytes.fromhex(read_private(path).decode("ascii").strip())
        except ValueError as error:
            raise DocumentError(
                "bad-signing-key",
                f"{path.name} does not hold a signing key.",
                "Restore the signing key from its backup.",
            ) from error
        return cls(seed)

    def save(self, path: Path) -> bool:
        """Write the key into a new private file; an existing file is never replaced.

        Returns False where the same key was there. Raises `FileError` (`file-exists`,
        `folder-not-writable`, `disk-full`).
        """
        return write_private(path, self.seed.hex().encode("ascii") + b"\n", replace=False)

    @cached_property
    def public_key(self) -> PublicKey:
        """Return the public key."""
        return PublicKey(self._private_key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature over `message`."""
        return self._private_key.sign(message)

    @cached_property
    def _private_key(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed)


def import_public_key(raw: bytes) -> PublicKey:
    """Return the public key of 32 raw bytes.

    Raises `DocumentError` (`bad-public-key`) for a wrong length, an encoding that is not
    canonical, bytes that are no point of the curve, and points of small order.
    """
    if not is_sound_point(raw):
        raise DocumentError(
            "bad-public-key",
            "This is not a safe Ed25519 public key.",
            "Get the public key again from whoever runs the license cloud.",
        )
    return PublicKey(raw)
