"""The access token that all programs of one user share, so that one of them exchanges for all.

It lies in a private file, bound to the sign-in it came from. Its life is counted on the clock of
this boot, which nobody sets: a jump of the clock on the wall neither ends nor prolongs it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tui_licenses import paths
from tui_licenses.errors import FileError
from tui_licenses.files import read_private, write_private
from tui_licenses.secret import Secret

# A program that was stopped while it exchanges must not hold up the others for longer.
_WAIT_SECONDS_MAXIMUM = 20.0
_LOOK_AGAIN_SECONDS = 0.02
_BOOT_FILE = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token and when it was got and is to be renewed, in seconds of `boot_seconds`."""

    text: Secret
    got_at: float
    renew_at: float

    def is_good(self, now: float) -> bool:
        """Say whether the token can be used now."""
        return self.got_at <= now < self.renew_at


class _AccessTokenFile(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    owner: str
    boot: str
    got_at: float
    renew_at: float
    access_token: str


class SharedAccessToken:
    """The shared access token of one context; where it cannot be kept, each program has its own."""

    def __init__(self, file: Path, owner: Callable[[], Awaitable[str]]) -> None:
        """Prepare; `owner` tells which sign-in the token must have come from."""
        self._file = file
        self._owner = owner

    async def read(self) -> AccessToken | None:
        """Return the kept token of this sign-in and this boot, or None."""
        try:
            found = msgspec.json.decode(read_private(self._file), type=_AccessTokenFile)
        except (FileError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        if found.boot != _boot() or found.owner != await self.mark():
            return None
        return AccessToken(Secret(found.access_token), found.got_at, found.renew_at)

    async def mark(self) -> str | None:
        """Return what tells the present sign-in from any other; None where there is none."""
        try:
            return await self._owner()
        except FileError:
            # Whoever exchanges reads the sign-in too, and tells what is wrong with it.
            return None

    def keep(self, token: AccessToken, mark: str | None) -> None:
        """Keep a token for the others; what cannot be kept is not.

        `mark` is that of the sign-in it was exchanged for, taken before the exchange: meanwhile
        somebody else may have signed in.
        """
        if mark is None:
            return
        kept = _AccessTokenFile(mark, _boot(), token.got_at, token.renew_at, token.text.reveal())
        with suppress(FileError):
            write_private(self._file, msgspec.json.encode(kept))

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Hold the lock under which one program exchanges; it ends with its holder.

        Without a lock two may exchange, which costs a request; to wait for ever costs the work.
        """
        try:
            paths.private_folder(self._file.parent)
            descriptor = os.open(
                self._file.with_suffix(".lock"),
                os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC,
                0o600,
            )
        except (FileError, OSError):
            yield
            return
        try:
            await _lock(descriptor)
            yield
        finally:
            os.close(descriptor)


def forget_access_token(context_name: str) -> None:
    """Remove the shared access token of a context wherever it lies."""
    for folder in paths.access_token_folders():
        with suppress(OSError):
            (folder / paths.access_token_file(context_name).name).unlink()


async def _lock(descriptor: int) -> None:
    given_up_at = time.monotonic() + _WAIT_SECONDS_MAXIMUM
    while time.monotonic() < given_up_at:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        except OSError:
            # A file system that knows no locks.
            return
        else:
            return


def _boot() -> str:
    try:
        return _BOOT_FILE.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        # Kept tokens are then those of this program's own start only.
        return f"{os.getpid()}"
