"""Where the secrets of a cloud are: private files beside its database, or systemd credentials.

`<name>-root.key` vouches for `<name>-signing.key`, which signs documents; `<name>-pepper.key`
goes into the hashes of refresh tokens. Keys that came later have their id in the name. systemd
hands over the same secrets as `root`, `signing…` and `pepper` in `$CREDENTIALS_DIRECTORY`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tui_licenses import private_files
from tui_licenses.documents.signing import SEED_BYTES, PublicKey, SigningKey
from tui_licenses.errors import DocumentError
from tui_licenses.files import read_private, unreadable, write_private

_SECRET = re.compile(r"-(root|signing|pepper)(-[0-9a-f]{16})?\.key")


def secret_path(database: Path, name: str) -> Path:
    """Return the private file beside a database that holds one of its secrets."""
    return database.with_name(f"{database.stem}-{name}.key")


def is_secret(end: str) -> bool:
    """Say whether this is how the name of a secret ends, after that of its database."""
    return _SECRET.fullmatch(end) is not None


def credential(name: str) -> Path | None:
    """Return where a credential is that systemd handed to this service, or None."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    path = None if folder is None else Path(folder, name)
    return path if path is not None and path.is_file() else None


def read_credential(name: str) -> bytes | None:
    """Return what a credential holds that systemd handed to this service, or None.

    Raises `FileError` (`file-unreadable`, `file-not-private`).
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder is None:
        return None
    try:
        return private_files.read_credential(Path(folder), name)
    except OSError as error:
        raise unreadable(Path(folder, name), error) from error


def decode_key(data: bytes, path: Path) -> SigningKey:
    """Return the key of 64 hex digits; raises `DocumentError` (`bad-signing-key`)."""
    try:
        return SigningKey(bytes.fromhex(data.decode("ascii").strip()))
    except ValueError as error:
        raise DocumentError(
            "bad-signing-key",
            f"{path.name} does not hold a signing key: {2 * SEED_BYTES} hex digits.",
            "Restore the signing key from its backup.",
        ) from error


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """The secrets of the cloud whose database is `database`, which need not be a file."""

    database: Path

    def root(self, public_key: PublicKey) -> SigningKey | None:
        """Return the private half of a root key, or None where it is not on this host."""
        found = (key for key, _ in self._keys("root") if key.public_key == public_key)
        return next(found, None)

    def has_any_root(self) -> bool:
        """Say whether some root key is on this host, the right one or not."""
        return next(self._keys("root"), None) is not None

    def signing(self) -> dict[str, SigningKey]:
        """Return the signing keys that are on this host by their ids."""
        return {key.public_key.keyid: key for key, _ in self._keys("signing")}

    def public_keys(self) -> set[PublicKey]:
        """Return the public halves of all keys that are on this host."""
        return {key.public_key for kind in ("root", "signing") for key, _ in self._keys(kind)}

    def pepper(self) -> bytes:
        """Return what is mixed into the hashes of tokens; raises `FileError`."""
        given = read_credential("pepper")
        if given is not None:
            return given
        return read_private(secret_path(self.database, "pepper"))

    def write(self, kind: str, key: SigningKey) -> Path:
        """Keep a new key under its id and return its file."""
        path = secret_path(self.database, f"{kind}-{key.public_key.keyid}")
        write_private(path, key.seed.hex().encode() + b"\n", replace=False)
        return path

    def remove(self, kind: str, public_key: PublicKey) -> None:
        """Remove the files that hold a key, where there are any."""
        for key, path in list(self._keys(kind)):
            if key.public_key == public_key and path.parent == self.database.parent:
                try:
                    path.unlink()
                except OSError as error:
                    raise unreadable(path, error) from error

    def names(self) -> tuple[Path, ...]:
        """Return the private files beside the database, by name; not those of another beside it."""
        stem = self.database.stem
        found = self.database.parent.glob(f"{stem}-*.key")
        return tuple(sorted(path for path in found if is_secret(path.name.removeprefix(stem))))

    def _keys(self, kind: str) -> Iterator[tuple[SigningKey, Path]]:
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if folder is not None:
            for path in sorted(Path(folder).glob(f"{kind}*")):
                data = read_credential(path.name)
                if data is not None:
                    yield decode_key(data, path), path
        for path in self.names():
            if path.name.startswith(f"{self.database.stem}-{kind}"):
                yield decode_key(read_private(path), path), path
