"""The writers of this program, as classes of faults see them: a folder, old bytes, new bytes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.values import NOW, make_instance, make_key, make_user
from tui_licenses import paths
from tui_licenses.config import Configuration, Context, save_configuration
from tui_licenses.domain.inventory import Inventory
from tui_licenses.errors import TuiLicensesError
from tui_licenses.files.streaming import new_private_file
from tui_licenses.service.checksums import CHECKSUMS_NAME, update_checksums
from tui_licenses.service.fetching import Document
from tui_licenses.service.local_copy import LocalCopy
from tui_licenses.service.outcomes import DocumentKind
from tui_licenses.service.saving import Fetched, Saver
from tui_licenses.wiring import open_services

_PROFILE = "berlin-profile.xml"
_BACKUP = "cloud.backup"


@dataclass(frozen=True)
class Writer:
    """Saves version 1 or 2 of one file below `home`; returning means that it is acknowledged."""

    name: str
    file: Callable[[Path], Path]
    write: Callable[[Path, int], None]
    keeps_old: bool = False
    replaces: bool = True

    @property
    def states(self) -> tuple[bool, ...]:
        """Return whether an old file is there, in each state in which it saves."""
        return (False, True) if self.replaces else (False,)


def use_home(home: Path) -> None:
    """Let everything of this process live below `home`."""
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        os.environ[f"XDG_{name}_HOME"] = str(home)


def writers() -> tuple[Writer, ...]:
    """Return the writers: a download, the settings, a list of checksums, a copy, a large file."""
    return (
        downloads(force=True),
        Writer("configuration", lambda _: paths.configuration_file(), _configure),
        Writer("checksums", lambda home: home / CHECKSUMS_NAME, _list_checksums),
        Writer("local copy", lambda _: paths.copy_file("site"), _copy),
        Writer("large file", lambda home: home / _BACKUP, _stream, replaces=False),
    )


def downloads(*, force: bool) -> Writer:
    """Return the writer of downloads, which replaces by `force` only."""
    services = open_services(Configuration(), None, {})
    saver = Saver(services.verification, force=force)
    asyncio.run(services.aclose())

    def save(home: Path, version: int) -> None:
        document = Document.of(b"<profile>%d</profile>" % version * 200, is_here=False)
        (saved,) = saver.save([Fetched("Berlin", DocumentKind.PROFILE, home / _PROFILE, document)])
        if isinstance(saved, TuiLicensesError):
            raise saved

    name = "download that replaces" if force else "download"
    return Writer(name, lambda home: home / _PROFILE, save, keeps_old=force)


def _configure(_: Path, version: int) -> None:
    context = Context(f"site-{version}", f"https://licenses-{version}.example.com")
    save_configuration(Configuration(contexts=(context,), current=context.name))


def _list_checksums(home: Path, version: int) -> None:
    error = update_checksums(home, {"berlin-license.bin": f"{version}" * 64}, may_create=True)
    if error is not None:
        raise error


def _copy(_: Path, version: int) -> None:
    inventory = Inventory.of(
        make_user(),
        [make_instance(name=f"Site {version}")],
        [make_key(instance_name=f"Site {version}")],
        NOW,
        "cursor",
    )
    LocalCopy(paths.copy_file("site"), "owner").write(inventory)


def _stream(home: Path, version: int) -> None:
    with new_private_file(home / _BACKUP) as file:
        for number in range(9):
            file.add(b"%d" % (number + version) * 1_500)


def _plain(home: Path, version: int) -> None:
    file = os.open(home / _PROFILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for _ in range(3):
        os.write(file, b"<profile>%d</profile>" % version * 200)
    os.close(file)


PLAIN = Writer("plain", lambda home: home / _PROFILE, _plain)
