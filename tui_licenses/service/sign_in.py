"""Credentials of contexts, kept in private files of their own.

A file holds the refresh token as it is, or sealed with a passphrase, or says that the keyring of
the desktop holds it.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

import msgspec

from tui_licenses import paths
from tui_licenses.api.access_token import forget_access_token
from tui_licenses.config import Context
from tui_licenses.credentials import Credentials
from tui_licenses.documents.passphrase import Cost
from tui_licenses.errors import FileError, SignInError
from tui_licenses.files import read_private, write_private
from tui_licenses.secret import Secret
from tui_licenses.service.sealing import Sealed, check_passphrase, seal, unseal
from tui_licenses.service.system_keyring import forget_keyring, read_keyring, write_keyring


class Keeping(StrEnum):
    """Where a refresh token is."""

    FILE = "file"
    SEALED = "sealed"
    KEYRING = "keyring"


class _CredentialsFile(
    msgspec.Struct, rename="camel", omit_defaults=True, forbid_unknown_fields=True
):
    """One of `refresh_token` and `sealed`; without either the keyring is asked."""

    subject_id: str
    refresh_token: str | None = None
    sealed: Sealed | None = None

    def keeping(self) -> Keeping:
        if self.sealed is not None:
            return Keeping.SEALED
        return Keeping.KEYRING if self.refresh_token is None else Keeping.FILE


def load_credentials(context: Context, passphrase: Secret | None = None) -> Credentials:
    """Return the saved sign-in of a context.

    Raises `SignInError` (`token-missing` where there is none, `passphrase-needed`,
    `passphrase-wrong`), `FileError` (`file-not-private`, `file-unreadable`, `file-damaged`,
    `keyring-unavailable`).
    """
    found = _read(context)
    if found.refresh_token is not None:
        return Credentials(found.subject_id, Secret(found.refresh_token))
    if found.sealed is None:
        return Credentials(found.subject_id, read_keyring(_user(context, found.subject_id)))
    if passphrase is None:
        raise SignInError(
            "passphrase-needed",
            f"The sign-in to the context “{context.name}” is sealed with a passphrase.",
            "Use a terminal to be asked for it, or name a private file that holds it in "
            "TUI_LICENSES_PASSPHRASE_FILE.",
        )
    about = _about(context, found.subject_id)
    return Credentials(found.subject_id, unseal(found.sealed, passphrase, about))


def save_credentials(
    context: Context,
    credentials: Credentials,
    passphrase: Secret | None = None,
    cost: Cost = Cost(),  # noqa: B008 - frozen
) -> None:
    """Keep the sign-in of a context, readable by its owner only, sealed if a passphrase is given.

    Raises `UseError` (`passphrase-too-short`), and `FileError` as `write_private` does.
    """
    subject_id, token = credentials.subject_id, credentials.refresh_token
    if passphrase is None:
        kept = _CredentialsFile(subject_id, refresh_token=token.reveal())
    else:
        about = _about(context, subject_id)
        kept = _CredentialsFile(
            subject_id, sealed=seal(token, check_passphrase(passphrase), about, cost)
        )
    in_keyring = _user_in_keyring(context.name)
    _write(context, kept)
    _forget_in_keyring(in_keyring)


def save_in_keyring(context: Context, credentials: Credentials) -> None:
    """Keep the refresh token in the keyring; raises `FileError` (`keyring-unavailable`)."""
    write_keyring(_user(context, credentials.subject_id), credentials.refresh_token)
    _write(context, _CredentialsFile(credentials.subject_id))


def keeping_of(context: Context) -> Keeping:
    """Say where the refresh token of a context is; raises as `load_credentials` does."""
    return _read(context).keeping()


def sign_in_mark(context: Context) -> str:
    """Return what tells one saved sign-in from any other, without opening it."""
    return _mark(context, read_private(paths.credentials_file(context.name)))


def credentials_mark(context: Context, credentials: Credentials) -> str:
    """Return what tells a sign-in that is not saved from any other."""
    kept = _CredentialsFile(credentials.subject_id, credentials.refresh_token.reveal())
    return _mark(context, msgspec.json.encode(kept))


def forget_credentials(context_name: str) -> None:
    """Remove the saved sign-in of a context; raises `SignInError` where there is none."""
    file = paths.credentials_file(context_name)
    forget_access_token(context_name)
    _forget_in_keyring(_user_in_keyring(context_name))
    try:
        file.unlink()
    except FileNotFoundError as error:
        raise SignInError(
            "token-missing",
            f"You are not signed in to the context “{context_name}”.",
            "List the contexts with `tui-licenses context list`.",
        ) from error
    except OSError as error:
        raise FileError(
            "folder-not-writable",
            f"The sign-in in {file} cannot be removed: {error.strerror}.",
            "Remove that file yourself.",
        ) from error


def _user_in_keyring(context_name: str) -> str | None:
    """Return under which name the keyring holds the saved sign-in, None where it holds none."""
    with suppress(FileError, SignInError):
        context = Context(context_name, None)
        found = _read(context)
        if found.keeping() is Keeping.KEYRING:
            return _user(context, found.subject_id)
    return None


def _forget_in_keyring(user: str | None) -> None:
    # Whatever the keyring says: its entry signs nobody in without the file.
    if user is not None:
        with suppress(FileError):
            forget_keyring(user)


def _read(context: Context) -> _CredentialsFile:
    file = paths.credentials_file(context.name)
    try:
        return _decode(file, read_private(file))
    except FileError as error:
        if error.code != "file-not-found":
            raise
        raise SignInError(
            "token-missing",
            f"You are not signed in to the context “{context.name}”.",
            "Sign in with `tui-licenses login`.",
        ) from error


def _decode(file: Path, data: bytes) -> _CredentialsFile:
    try:
        found = msgspec.json.decode(data, type=_CredentialsFile)
        # Sealed, a file is as this program wrote it, byte for byte.
        is_whole = found.sealed is None or msgspec.json.encode(found) == data
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _damaged(file) from error
    if not is_whole or (found.sealed is not None and found.refresh_token is not None):
        raise _damaged(file)
    return found


def _write(context: Context, kept: _CredentialsFile) -> None:
    file = paths.credentials_file(context.name)
    paths.private_folder(file.parent)
    write_private(file, msgspec.json.encode(kept))
    forget_access_token(context.name)


def _damaged(file: Path) -> FileError:
    return FileError(
        "file-damaged",
        f"The sign-in in {file} cannot be read.",
        "Sign in again with `tui-licenses login`.",
    )


def _about(context: Context, subject_id: str) -> tuple[str, ...]:
    return (context.url or "", subject_id)


def _user(context: Context, subject_id: str) -> str:
    return f"{context.name}/{subject_id}"


def _mark(context: Context, sign_in: bytes) -> str:
    # Of what it holds nothing can be told from it: a refresh token is 256 random bits.
    return hashlib.sha256(f"{context.url or ''}\n".encode() + sign_in).hexdigest()
