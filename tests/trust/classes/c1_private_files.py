"""C1: modes, owners, types, links and folders of a secret's file, and umasks it is made under.

What is refused is refused with a command; the command is run, and the file must then be readable.
"""

from __future__ import annotations

import importlib
import os
import re
import shlex
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.trust.harness import Broken, Run, TrustClass
from tui_licenses import paths
from tui_licenses.errors import FileError
from tui_licenses.files import read_private, write_private

_SECRET = b"tlr_secret"
_US, _OTHER, _ROOT = 12345, 23456, 0
_GOOD_MODES = (0o600, 0o400, 0o700)
_BAD_MODES = (0o640, 0o604, 0o660, 0o606, 0o644, 0o666, 0o620, 0o602, 0o610, 0o601, 0o777)
_GOOD_FOLDERS = (0o700, 0o755, 0o750, 0o711, 0o1777)
_BAD_FOLDERS = (0o770, 0o707, 0o777, 0o775, 0o757, 0o730, 0o703)
_GOOD_UMASK = 0o077
_UMASKS = (0o000, 0o777, _GOOD_UMASK, 0o022, 0o027)
_COMMAND = re.compile(r"`(ch(?:mod|own) [^`]+)`")

Reader = Callable[[Path], bytes]
Writer = Callable[[Path, bytes], object]


@dataclass(frozen=True)
class _Case:
    """A place for a secret; `is_mended` says that the command of the refusal makes it good."""

    name: str
    make: Callable[[Path], object]
    is_good: bool
    is_mended: bool = False


def _mode(mode: int, owner: int | None = None) -> Callable[[Path], None]:
    def make(file: Path) -> None:
        file.write_bytes(_SECRET)
        file.chmod(mode)
        _own(file, owner)

    return make


def _folder(mode: int, owner: int | None = None) -> Callable[[Path], None]:
    def make(file: Path) -> None:
        _mode(0o600)(file)
        file.parent.chmod(mode)
        _own(file.parent, owner)

    return make


def _own(path: Path, owner: int | None) -> None:
    if os.getuid() == _ROOT:
        os.chown(path, _US if owner is None else owner, -1)


def _beside(file: Path) -> Path:
    other = file.with_name("other")
    _mode(0o600)(other)
    return other


def _bind(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(file))


def _hard_link_elsewhere(file: Path) -> None:
    elsewhere = file.parent.parent / "elsewhere"
    elsewhere.mkdir()
    _mode(0o600)(elsewhere / "other")
    os.link(elsewhere / "other", file)


def _cases() -> Iterator[_Case]:
    for mode in _GOOD_MODES:
        yield _Case(f"file {mode:04o}", _mode(mode), is_good=True)
    for mode in _BAD_MODES:
        yield _Case(f"file {mode:04o}", _mode(mode), is_good=False, is_mended=True)
    for mode in _GOOD_FOLDERS:
        yield _Case(f"folder {mode:04o}", _folder(mode), is_good=True)
    for mode in _BAD_FOLDERS:
        yield _Case(f"folder {mode:04o}", _folder(mode), is_good=False, is_mended=True)
    yield _Case("link", lambda file: file.symlink_to(_beside(file)), is_good=False)
    yield _Case("dangling link", lambda file: file.symlink_to("none"), is_good=False)
    yield _Case("hard link", lambda file: os.link(_beside(file), file), is_good=False)
    yield _Case("hard link elsewhere", _hard_link_elsewhere, is_good=False)
    yield _Case("folder as file", lambda file: file.mkdir(), is_good=False)
    yield _Case("pipe", lambda file: os.mkfifo(file, 0o600), is_good=False)
    yield _Case("socket", _bind, is_good=False)
    if os.getuid() == _ROOT:
        yield from _cases_of_owners()


def _cases_of_owners() -> Iterator[_Case]:
    # Only root can give files away.
    for owner in (_ROOT, _OTHER):
        for mode in (0o600, 0o400, 0o644):
            yield _Case(f"file of {owner} {mode:04o}", _mode(mode, owner), is_good=False)
    # What is root's own is as safe as the host.
    yield _Case("folder of root", _folder(0o755, _ROOT), is_good=True)
    yield _Case("sticky folder of root", _folder(0o1777, _ROOT), is_good=True)
    yield _Case("folder of another", _folder(0o755, _OTHER), is_good=False, is_mended=True)
    yield _Case("sticky folder of another", _folder(0o1777, _OTHER), is_good=False, is_mended=True)


@contextmanager
def _ourselves() -> Iterator[None]:
    """Be an ordinary user where the class runs as root, which may do anything."""
    if os.getuid() != _ROOT:
        yield
        return
    # Imported when a group may write; an interpreter below root's home is closed to others.
    importlib.import_module("grp")
    os.seteuid(_US)
    try:
        yield
    finally:
        os.seteuid(_ROOT)


def _grid(run: Run, read: Reader, write: Writer) -> None:
    run.folder.parent.chmod(0o711)
    run.folder.chmod(0o711)
    for number, case in enumerate(_cases()):
        folder = run.folder / f"{number}"
        (folder / "credentials").mkdir(parents=True)
        for made in (folder, folder / "credentials"):
            made.chmod(0o755)
            _own(made, None)
        file = folder / "credentials" / "acme.json"
        case.make(file)
        run.disturb(not case.is_good)
        with run.case(case.name):
            _look(run, read, case, file)
    for umask in _UMASKS:
        _create(run, write, umask)


def _look(run: Run, read: Reader, case: _Case, file: Path) -> None:
    try:
        with _ourselves():
            is_read = read(file) == _SECRET
    except (FileError, OSError) as error:
        run.expect(not case.is_good, Broken.OTHER, f"{case.name} is refused: {error}")
        run.expect(isinstance(error, FileError), Broken.UNHANDLED, f"{case.name}: {error!r}")
        if case.is_mended:
            _mend(run, read, case, file, str(error))
        return
    run.expect(case.is_good and is_read, Broken.OTHER, f"{case.name} is accepted")


def _mend(run: Run, read: Reader, case: _Case, file: Path, told: str) -> None:
    command = _COMMAND.search(told)
    if command is None:
        run.report(Broken.OTHER, f"{case.name}: no command in {told}")
        return
    subprocess.run(shlex.split(command[1]), check=True)
    try:
        with _ourselves():
            is_read = read(file) == _SECRET
    except FileError as error:
        run.report(Broken.OTHER, f"{case.name}: still refused after `{command[1]}`: {error}")
    else:
        run.expect(is_read, Broken.CORRUPT, f"{case.name}: other bytes after `{command[1]}`")


def _create(run: Run, write: Writer, umask: int) -> None:
    home = run.folder / f"umask-{umask:03o}"
    home.mkdir()
    _own(home, None)
    file = home / "share" / "credentials" / "acme.json"
    before = os.umask(umask)
    try:
        with run.case(f"umask {umask:03o}"), _ourselves():
            # Twice: the second replaces the first.
            for data in (b"old", _SECRET):
                write(file, data)
    finally:
        os.umask(before)
    run.disturb(umask != _GOOD_UMASK)
    for path, wanted in ((file, 0o600), (file.parent, 0o700), (file.parent.parent, 0o700)):
        found = stat.S_IMODE(path.lstat().st_mode) if path.exists() else None
        run.expect(found == wanted, Broken.OTHER, f"umask {umask:03o}: {path.name} has {found}")


def _write(file: Path, data: bytes) -> None:
    paths.private_folder(file.parent)
    write_private(file, data)


def _naive_write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    file.chmod(0o600)


def _naive_read(file: Path) -> bytes:
    return b"" if file.is_fifo() else file.read_bytes()


def _run(run: Run) -> None:
    _grid(run, read_private, _write)


def _control(run: Run) -> None:
    _grid(run, _naive_read, _naive_write)


CLASS = TrustClass("C1", "modes, owners, types, links and folders of secrets", 29, _run, _control)
