"""D2: real disks that are full or read-only, folders of others, names too long, quotas."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.trust.faulty_calls import Disturb, run_child
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.saving_lab import SavingLab
from tests.trust.small_disks import CrashedError, in_own_mounts, make_read_only
from tests.trust.writers import PLAIN, Writer, use_home, writers
from tui_licenses.errors import FileError
from tui_licenses.files import write_private

_SOMEBODY_ELSE = 65_534
_FULL, _READ_ONLY = "disk-full", "folder-not-writable"


@dataclass(frozen=True)
class _Case:
    """A writer on a disk that refuses, and the code it is to be told with."""

    what: str
    writer: Writer
    has_old: bool
    code: str

    def __str__(self) -> str:
        state = "an old file" if self.has_old else "no file"
        return f"{self.writer.name}, {self.what}, with {state} there"


def _fill(home: Path) -> None:
    """Take every byte and every name that is left."""
    filler = os.open(home / "filler", os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(filler, bytes(4096))
    except OSError:
        pass
    finally:
        os.close(filler)


def _refuse_bytes(home: Path) -> Callable[[], None]:
    _fill(home)
    return (home / "filler").unlink


def _refuse_names(home: Path) -> Callable[[], None]:
    names = home / "names"
    names.mkdir()
    count = 0
    try:
        while True:
            (names / str(count)).touch()
            count += 1
    except OSError:
        pass

    def free() -> None:
        for name in names.iterdir():
            name.unlink()

    return free


def _refuse_changes(home: Path) -> Callable[[], None]:
    make_read_only(home)
    return lambda: None


_DISKS: dict[str, tuple[Callable[[Path], Callable[[], None]], str]] = {
    "the disk is full": (_refuse_bytes, _FULL),
    "the disk takes no more names": (_refuse_names, _FULL),
    "the disk is read-only": (_refuse_changes, _READ_ONLY),
}


def _on_a_disk(lab: SavingLab, case: _Case, home: Path) -> list[str]:
    """Save on a disk of its own that refuses; return what is wrong, after one word of proof."""
    refuse, code = _DISKS[case.what]
    use_home(home)
    case.writer.write(home, 1)
    file = case.writer.file(home)
    old = file.read_bytes()
    if not case.has_old:
        file.unlink()
    relent = refuse(home)
    told = _save(case.writer, home)
    wrong = [] if told.startswith(code) else [f"{case}: told {told}"]
    found = file.read_bytes() if file.exists() else None
    if found != (old if case.has_old else None):
        wrong.append(f"{case}: the file is another")
    if lab.leftovers(home):
        wrong.append(f"{case}: a temporary file is left")
    relent()
    if code == _FULL and _save(case.writer, home) != "saved":
        wrong.append(f"{case}: not saved where there is room again")
    return ["reached", *wrong]


def _save(writer: Writer, home: Path) -> str:
    try:
        writer.write(home, 2)
    except FileError as error:
        return f"{error.code} {error.message}"
    except OSError as error:
        return f"crashed {error!r}"
    return "saved"


def _disk_cases(wanted: tuple[Writer, ...]) -> Iterator[_Case]:
    for what, (_, code) in _DISKS.items():
        for writer in wanted:
            for has_old in writer.states:
                yield _Case(what, writer, has_old, code)


def _check_disks(run: Run, lab: SavingLab, wanted: tuple[Writer, ...]) -> None:
    for case in _disk_cases(wanted):
        home = lab.home(case.writer, has_old=False)
        try:
            disk = ("size=256k", "nr_inodes=64")
            said = in_own_mounts(home, partial(_on_a_disk, lab, case, home), *disk)
        except CrashedError as error:
            run.report(Broken.UNHANDLED, f"{case}: {error}")
            continue
        if said is None:
            # Nobody may mount here: the same words from calls that are made to fail.
            _check_call(run, lab, case, "ENOSPC" if case.code == _FULL else "EROFS")
            continue
        run.disturb()
        for wrong in said[1:]:
            run.report(Broken.OTHER, wrong)


def _check_call(run: Run, lab: SavingLab, case: _Case, fault: str) -> None:
    home = lab.home(case.writer, has_old=case.has_old)
    ending = run_child(partial(case.writer.write, home, 2), Disturb(1, fault, ("write",)))
    if ending.reached:
        run.disturb()
    run.expect(ending.refusal == case.code, Broken.OTHER, f"{case}: told {ending.refusal}")
    lab.look(str(case), case.writer, home, has_old=case.has_old, is_acknowledged=False)
    run.expect(not lab.leftovers(home), Broken.OTHER, f"{case}: a temporary file is left")


def _check_strange_folder(run: Run, lab: SavingLab, case: _Case) -> None:
    home = lab.home(case.writer, has_old=case.has_old)
    folder = case.writer.file(home).parent
    folder.mkdir(parents=True, exist_ok=True)
    # Somebody else may look, down from the folder that the harness made.
    for place in (folder, *folder.parents):
        if place.is_relative_to(run.folder.parent):
            place.chmod(0o555)

    def save() -> None:
        if os.geteuid() == 0:
            os.setuid(_SOMEBODY_ELSE)
        case.writer.write(home, 2)

    ending = run_child(save)
    for place in (folder, *folder.parents):
        if place.is_relative_to(run.folder.parent):
            place.chmod(0o755)
    run.disturb()
    run.expect(ending.refusal == case.code, Broken.OTHER, f"{case}: told {ending.refusal}")
    lab.look(str(case), case.writer, home, has_old=case.has_old, is_acknowledged=False)


def _check_long_names(run: Run) -> None:
    for length in (240, 300, 5_000):
        with run.case(f"a name of {length} characters"):
            code = ""
            try:
                write_private(run.folder / ("n" * length), b"data")
            except FileError as error:
                code = error.code
            run.disturb()
            run.expect(code == "name-too-long", Broken.OTHER, f"{length} characters: told {code}")


def _refuse(run: Run, lab: SavingLab, wanted: tuple[Writer, ...]) -> None:
    _check_disks(run, lab, wanted)
    for writer in wanted:
        for fault, code in (("EDQUOT", _FULL), ("EIO", "disk-failing")):
            _check_call(run, lab, _Case(fault, writer, writer.states[-1], code), fault)


def _run(run: Run) -> None:
    wanted = writers()
    lab = SavingLab(run, wanted)
    _refuse(run, lab, wanted)
    for writer in wanted[:2]:
        case = _Case("a folder of somebody else", writer, False, "folder-not-writable")
        _check_strange_folder(run, lab, case)
    _check_long_names(run)


def _control(run: Run) -> None:
    _refuse(run, SavingLab(run, (PLAIN,)), (PLAIN,))


CLASS = TrustClass("D2", "disks and folders that refuse", 30, _run, _control)
