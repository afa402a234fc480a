"""Where the secrets of a cloud are: private files beside its database, or systemd credentials.

`<name>-root.key` vouches for `<name>-signing.key`, which signs documents; `<name>-pepper.key`
goes into the hashes of refresh tokens. Keys that came later have their id in the name. systemd
hands over the same secrets as `root`, `signing…` and `pepper` in `$CREDENTIALS_DIRECTORY`.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tui_licenses.documents.signing import SEED_BYTES, PublicKey, SigningKey
from tui_licenses.errors import DocumentError, FileError
from tui_licenses.files import read_private, read_regular, unreadable, write_private

_SECRET = re.compile(r"-(root|signing|pepper)(-[0-9a-f]{16})?\.key")
_CREDENTIAL_BYTES_MAXIMUM = 4096


def secret_path(database: Path, name: str) -> Path:
    """Return the private file beside a database that holds one of its secrets."""
    return database.with_name(f"{database.stem}-{name}.key")


def is_secret(end: str) -> bool:
    """Say whether this is how the name of a secret ends, after that of its database."""
    return _SECRET.fullmatch(end) is not None


def credential(name: str) -> Path | None:
    """Return a credential that systemd handed to this service, or None."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    path = None if folder is None else Path(folder, name)
    return path if path is not None and path.is_file() else None


def read_credential(path: Path) -> bytes:
    """Return what a credential holds.

    systemd lets the service's group read it where an access list names the service: only what
    everybody could read is refused. Raises `FileError` (`file-unreadable`, `file-not-private`).
    """
    data = read_regular(path, _CREDENTIAL_BYTES_MAXIMUM)
    status = path.stat()
    if status.st_mode & stat.S_IRWXO:
        raise FileError(
            "file-not-private",
            f"The credential {path} could be read by every user.",
            f"Run `chmod o-rwx {path}`, or let systemd make it (`LoadCredentialEncrypted=`).",
        )
    return data


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
        given = credential("pepper")
        if given is not None:
            return read_credential(given)
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
                yield decode_key(read_credential(path), path), path
        for path in self.names():
            if path.name.startswith(f"{self.database.stem}-{kind}"):
                yield decode_key(read_private(path), path), path
