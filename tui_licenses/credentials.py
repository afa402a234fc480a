"""What signs in to a license cloud, and where the environment gives it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tui_licenses.config import SUBJECT_VARIABLE
from tui_licenses.errors import FileError, UseError
from tui_licenses.files import read_private, unreadable
from tui_licenses.private_files import read_credential
from tui_licenses.secret import REFRESH_TOKEN_VARIABLE, Secret, secret_from

PASSPHRASE_VARIABLE = "TUI_LICENSES_PASSPHRASE_FILE"  # noqa: S105 - a name
# The names of credentials that a service manager gives (`LoadCredentialEncrypted=`).
REFRESH_CREDENTIAL = "tui-licenses-refresh-token"
PASSPHRASE_CREDENTIAL = "tui-licenses-passphrase"  # noqa: S105 - a name

_OPEN_FILE = re.compile(r"/dev/fd/([0-9]{1,4})")
_SECRET_BYTES_MAXIMUM = 64 * 1024


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs a context in to its license cloud."""

    subject_id: str
    refresh_token: Secret


def credentials_from_environment(environment: Mapping[str, str]) -> Credentials | None:
    """Return the sign-in that the environment gives, or None.

    The refresh token may be a credential of the service manager, named as `REFRESH_CREDENTIAL`.
    Raises `UseError` (`invalid-request`) where it gives only half of a sign-in, `FileError`
    (`file-not-private`, `file-unreadable`).
    """
    subject_id = environment.get(SUBJECT_VARIABLE, "")
    refresh_token = secret_from(environment, REFRESH_TOKEN_VARIABLE) or _credential(
        environment, REFRESH_CREDENTIAL
    )
    if not subject_id and not refresh_token:
        return None
    if not subject_id or not refresh_token:
        raise UseError(
            "invalid-request",
            "The environment gives only half of a sign-in.",
            "Set both TUI_LICENSES_SUBJECT_ID and TUI_LICENSES_REFRESH_TOKEN, or neither.",
        )
    return Credentials(subject_id, refresh_token)


def passphrase_from_environment(environment: Mapping[str, str]) -> Secret | None:
    """Return the passphrase that a file named by the environment gives, or None.

    The file is private or an open one (`/dev/fd/3`), or a credential of the service manager.
    Raises `FileError` (`file-not-found`, `file-not-private`, `file-unreadable`).
    """
    name = environment.get(PASSPHRASE_VARIABLE)
    if not name:
        return _credential(environment, PASSPHRASE_CREDENTIAL)
    open_file = _OPEN_FILE.fullmatch(name)
    try:
        if open_file:
            with os.fdopen(int(open_file[1]), "rb") as stream:
                return _first_line(Path(name), stream.read(_SECRET_BYTES_MAXIMUM))
        return _first_line(Path(name), read_private(Path(name)))
    except OSError as error:
        raise unreadable(Path(name), error) from error


def _credential(environment: Mapping[str, str], name: str) -> Secret | None:
    folder = environment.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return None
    file = Path(folder) / name
    try:
        data = read_credential(file.parent, name)
    except OSError as error:
        raise unreadable(file, error) from error
    return None if data is None else _first_line(file, data)


def _first_line(file: Path, data: bytes) -> Secret:
    try:
        return Secret(data.decode().partition("\n")[0].rstrip("\r"))
    except UnicodeDecodeError as error:
        raise FileError(
            "file-unreadable", f"{file} holds no text.", "Write the secret on its first line."
        ) from error
