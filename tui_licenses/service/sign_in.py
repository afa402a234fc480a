"""Credentials of contexts, kept in private files of their own."""

from __future__ import annotations

import msgspec

from tui_licenses import paths
from tui_licenses.config import Context, Credentials
from tui_licenses.errors import FileError, SignInError
from tui_licenses.files import read_private, write_private


class _CredentialsFile(msgspec.Struct, rename="camel"):
    subject_id: str
    refresh_token: str


def load_credentials(context: Context) -> Credentials:
    """Return the saved sign-in of a context.

    Raises `SignInError` (`token-missing`) where there is none, `FileError` (`file-not-private`,
    `file-unreadable`, `file-damaged`).
    """
    file = paths.credentials_file(context.name)
    try:
        found = msgspec.json.decode(read_private(file), type=_CredentialsFile)
    except msgspec.MsgspecError as error:
        raise FileError(
            "file-damaged",
            f"The sign-in in {file} cannot be read.",
            "Sign in again with `tui-licenses login`.",
        ) from error
    except FileError as error:
        if error.code != "file-not-found":
            raise
        raise SignInError(
            "token-missing",
            f"You are not signed in to the context “{context.name}”.",
            "Sign in with `tui-licenses login`.",
        ) from error
    return Credentials(found.subject_id, found.refresh_token)


def save_credentials(context: Context, credentials: Credentials) -> None:
    """Keep the sign-in of a context, readable by its owner only."""
    file = paths.credentials_file(context.name)
    paths.private_folder(file.parent)
    write_private(
        file,
        msgspec.json.encode(_CredentialsFile(credentials.subject_id, credentials.refresh_token)),
    )


def forget_credentials(context_name: str) -> None:
    """Remove the saved sign-in of a context; raises `SignInError` where there is none."""
    file = paths.credentials_file(context_name)
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
