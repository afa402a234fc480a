"""The keyring of the desktop, for those who have one; it may be missing, locked or silent.

The library `keyring` (an extra) is asked in a process of its own: what hangs there is ended, and
what fails there cannot take this program along. Secrets go through pipes, never as arguments.
"""

from __future__ import annotations

import sys

from tui_licenses.errors import FileError
from tui_licenses.secret import Secret

_SERVICE = "tui-licenses"
# As the GitHub command line waits: a keyring that asks nobody to unlock it would wait for ever.
_SECONDS_MAXIMUM = 3


def read_keyring(user: str) -> Secret:
    """Return what is kept for a user; raises `FileError` (`keyring-unavailable`)."""
    found = _ask("get", user)
    if not found:
        raise _unavailable("it holds no sign-in of this context")
    return Secret(found.removesuffix("\n"))


def write_keyring(user: str, secret: Secret) -> None:
    """Keep a secret and read it back; raises `FileError` (`keyring-unavailable`)."""
    _ask("set", user, secret.reveal())
    if read_keyring(user) != secret:
        raise _unavailable("it gave back something else")


def forget_keyring(user: str) -> None:
    """Remove what is kept for a user; raises `FileError` (`keyring-unavailable`)."""
    _ask("del", user)


def _ask(operation: str, user: str, given: str = "") -> str:
    import subprocess

    # -P: a module of this name in the current folder is not the library.
    command = (sys.executable, "-P", "-m", "keyring", operation, _SERVICE, user)
    try:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            text=True,
            timeout=_SECONDS_MAXIMUM,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        # Its parts hold what was given: nothing may chain to it.
        del error
        raise _unavailable(f"it did not answer within {_SECONDS_MAXIMUM} s") from None
    if "No module named keyring" in done.stderr:
        raise _unavailable("the library is not installed (`pip install tui-licenses[keyring]`)")
    if done.returncode:
        raise _unavailable("it refused, or there is none on this host")
    return done.stdout


def _unavailable(reason: str) -> FileError:
    return FileError(
        "keyring-unavailable",
        f"The keyring cannot be used: {reason}.",
        "Unlock it and try again, or sign in without `--keyring`.",
    )
