"""D3: between the calls of a save somebody swaps the file, its temporary file or its folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from socket import AF_UNIX, socket

from tests.support.folders import names_in
from tests.trust.faulty_calls import PATIENCE_SECONDS, Call, Disturb, run_child
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.writers import PLAIN, Writer, downloads, use_home, writers

_VICTIM = b"belongs to somebody else"
_VICTIM_MODE = 0o640
_TEMPORARY = "its temporary file"


def _link_softly(name: Path, outside: Path) -> None:
    name.symlink_to(outside / "victim")


def _link_to_nothing(name: Path, outside: Path) -> None:
    name.symlink_to(outside / "nothing")


def _link_hard(name: Path, outside: Path) -> None:
    name.hardlink_to(outside / "victim")


def _make_pipe(name: Path, _: Path) -> None:
    os.mkfifo(name)


def _make_folder(name: Path, _: Path) -> None:
    name.mkdir()


def _make_socket(name: Path, _: Path) -> None:
    folder = os.open(name.parent, os.O_PATH)
    with closing(socket(AF_UNIX)) as made:
        # A path to a socket must be shorter than those of a test.
        made.bind(f"/proc/self/fd/{folder}/{name.name}")
    os.close(folder)


def _make_file(name: Path, _: Path) -> None:
    name.write_bytes(b"made by somebody else")


def _link_to_itself(name: Path, _: Path) -> None:
    name.symlink_to(name.name)


def _link_folder(name: Path, outside: Path) -> None:
    name.symlink_to(outside)


_MAKERS = (
    _link_softly,
    _link_to_nothing,
    _link_to_itself,
    _link_hard,
    _make_pipe,
    _make_socket,
    _make_file,
    _make_folder,
)


@dataclass(frozen=True)
class _Case:
    writer: Writer
    has_old: bool
    number: int
    what: str
    make: Callable[[Path, Path], None]
    # Later the file has its name, and who may swap names may as well remove it.
    is_before_the_name: bool

    def __str__(self) -> str:
        made = self.make.__name__.strip("_")
        return f"{self.writer.name}, {self.what} before call {self.number}: {made}"


class _Swap(Disturb):
    """Puts something else in the place of a name just before a call."""

    def __init__(self, case: _Case, home: Path, outside: Path) -> None:
        super().__init__(case.number, "swapped")
        self._case = case
        self._home = home
        self._outside = outside

    def happen(self, name: str, function: Call, *words: object, **how: object) -> object:
        for place in self._places():
            if os.path.lexists(place):
                place.rename(self._outside.with_name(f"away-{place.name}"))
            self._case.make(place, self._outside)
        return function(*words, **how)

    def can_reach(self, _name: str) -> bool:
        """Say whether there is anything to swap at this call."""
        return self._case.what != _TEMPORARY or bool(self._places())

    def _places(self) -> list[Path]:
        file = self._case.writer.file(self._home)
        match self._case.what:
            case "the file":
                return [file]
            case "its folder":
                return [file.parent]
            case _:
                return sorted(file.parent.glob(".*.part"))


class _Lab:
    """A home and what lies outside of it, new for each case."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._numbers = count()

    def places(self, writer: Writer, *, has_old: bool) -> tuple[Path, Path]:
        """Return a home, in use, and a folder outside that holds the victim."""
        place = self._run.folder / f"case-{next(self._numbers)}"
        home, outside = place / "home", place / "outside"
        for folder in (home, outside):
            folder.mkdir(mode=0o700, parents=True)
        (outside / "victim").write_bytes(_VICTIM)
        (outside / "victim").chmod(_VICTIM_MODE)
        use_home(home)
        if has_old:
            writer.write(home, 1)
        return home, outside

    def look(self, case: _Case, home: Path, outside: Path, new: bytes, *, saved: bool) -> None:
        """Report whatever was touched outside, and what is acknowledged and not there."""
        victim = outside / "victim"
        is_whole = victim.read_bytes() == _VICTIM
        self._run.expect(is_whole, Broken.CORRUPT, f"{case}: somebody else's file was written")
        mode = victim.stat().st_mode & 0o777
        self._run.expect(mode == _VICTIM_MODE, Broken.OTHER, f"{case}: its mode is {mode:o}")
        names = names_in(outside)
        self._run.expect(names == ["victim"], Broken.OTHER, f"{case}: outside there is {names}")
        if saved:
            file = case.writer.file(home)
            # A list of checksums keeps the lines that somebody put there.
            is_there = not file.is_symlink() and file.is_file() and new in file.read_bytes()
            self._run.expect(is_there, Broken.LOST, f"{case}: acknowledged, and not there")


def _cases(lab: _Lab, wanted: Sequence[tuple[Writer, bool]]) -> Iterator[_Case]:
    for writer, has_old in wanted:
        home, _ = lab.places(writer, has_old=has_old)
        calls = run_child(partial(writer.write, home, 2)).calls
        named = (
            0
            if writer is PLAIN
            else 1 + next(at for at, name in enumerate(calls) if name == "link")
        )
        opened, written = 1 + calls.index("open"), 1 + calls.index("write")
        for number in range(1, len(calls) + 1):
            for what in ("the file", _TEMPORARY):
                # Before it is written there is no temporary file.
                if what == _TEMPORARY and number < written:
                    continue
                for make in _MAKERS:
                    yield _Case(writer, has_old, number, what, make, number <= named)
            # Before the folder is opened it is only where its path leads.
            if number > opened:
                yield _Case(writer, has_old, number, "its folder", _link_folder, number <= named)


def _swap(
    run: Run, wanted: Sequence[tuple[Writer, bool]], patience_seconds: int = PATIENCE_SECONDS
) -> None:
    lab = _Lab(run)
    new = {}
    for writer, _ in wanted:
        home, _ = lab.places(writer, has_old=False)
        writer.write(home, 2)
        new[writer.name] = writer.file(home).read_bytes()
    for case in run.choose(tuple(_cases(lab, wanted)), fast=250):
        home, outside = lab.places(case.writer, has_old=case.has_old)
        work, swap = partial(case.writer.write, home, 2), _Swap(case, home, outside)
        ending = run_child(work, swap, patience_seconds)
        if ending.reached:
            run.disturb()
        run.expect(not ending.crash, Broken.UNHANDLED, f"{case}: {ending.crash}")
        run.expect(not ending.is_stuck, Broken.OTHER, f"{case}: it never ended")
        lab.look(
            case,
            home,
            outside,
            new[case.writer.name],
            saved=ending.is_acknowledged and case.is_before_the_name,
        )


def _run(run: Run) -> None:
    replacing, configuration, checksums, _, large = writers()
    download = downloads(force=False)
    new = [(download, False), (checksums, False), (large, False)]
    _swap(run, [*new, (checksums, True), (replacing, True), (configuration, True)])


def _control(run: Run) -> None:
    # It waits at a pipe for ever, so nobody needs to wait for it long.
    _swap(run, [(PLAIN, False), (PLAIN, True)], patience_seconds=2)


CLASS = TrustClass(
    "D3",
    "names swapped between the calls of a save",
    1_000,
    _run,
    _control,
    # Whoever is not waited for long may as well be slow.
    control_breaks=(Broken.CORRUPT,),
)
