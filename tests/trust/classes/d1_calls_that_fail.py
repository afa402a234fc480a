"""D1: every call of every writer fails, lies or is the last one; the file is the old or the new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.trust.faulty_calls import FAULTS, Disturb, run_child
from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.saving_lab import SavingLab
from tests.trust.tracing import can_trace, run_traced
from tests.trust.writers import PLAIN, Writer, writers
from tui_licenses.files import write_private

_TRACED_CALLS = ("openat", "write", "fsync", "close", "linkat", "renameat", "unlinkat")
_TRACED_FAULTS = (
    "signal=KILL",
    *(f"error={name}" for name in ("EIO", "ENOSPC", "EDQUOT", "EROFS", "EINTR")),
    # Success that is none; a written length is filled in.
    "retval=",
)


@dataclass(frozen=True)
class _Case:
    writer: Writer
    has_old: bool
    number: int
    fault: str
    # The call of the kernel where strace injects; none where the functions of `os` are replaced.
    call: str = ""

    def __str__(self) -> str:
        state = "over an old file" if self.has_old else "a new file"
        return f"{self.writer.name}, {state}, {self.fault} at {self.call or 'call'} {self.number}"


def _cases(lab: SavingLab, wanted: Sequence[Writer]) -> Iterator[_Case]:
    """Give every call that each writer makes with every fault."""
    for writer in wanted:
        for has_old in writer.states:
            home = lab.home(writer, has_old=has_old)
            calls = run_child(partial(writer.write, home, 2)).calls
            for number, name in enumerate(calls, 1):
                for fault in FAULTS:
                    if Disturb(number, fault).can_reach(name):
                        yield _Case(writer, has_old, number, fault)


def _traced_cases(wanted: Sequence[Writer]) -> list[_Case]:
    return [
        _Case(writer, has_old, number, fault, call)
        for writer in wanted
        for has_old in writer.states
        for call in _TRACED_CALLS
        for number in (1, 2)
        for fault in _TRACED_FAULTS
        # No descriptor can be made up.
        if (call, fault) != ("openat", "retval=")
    ]


def _try(run: Run, lab: SavingLab, case: _Case) -> None:
    home = lab.home(case.writer, has_old=case.has_old)
    ending = run_child(partial(case.writer.write, home, 2), Disturb(case.number, case.fault))
    if not ending.reached:
        return
    run.disturb()
    run.expect(not ending.crash, Broken.UNHANDLED, f"{case}: {ending.crash}")
    run.expect(not ending.is_stuck, Broken.OTHER, f"{case}: it never ended")
    _look(run, lab, case, home, is_acknowledged=ending.is_acknowledged)
    if not ending.is_killed and ending.reached != "unlink":
        run.expect(not lab.leftovers(home), Broken.OTHER, f"{case}: a temporary file is left")
    _save_again(run, lab, case, home)


def _look(run: Run, lab: SavingLab, case: _Case, home: Path, *, is_acknowledged: bool) -> None:
    lab.look(str(case), case.writer, home, has_old=case.has_old, is_acknowledged=is_acknowledged)


def _save_again(run: Run, lab: SavingLab, case: _Case, home: Path) -> None:
    """A later save finds its way, and sweeps what is left."""
    lab.age(lab.leftovers(home))

    def save() -> None:
        case.writer.write(home, 2)
        # What is there already is not always written again.
        write_private(case.writer.file(home).with_name("other"), b"other")

    again = run_child(save)
    run.expect(again.is_acknowledged, Broken.OTHER, f"{case}: {again.refusal} when saved again")
    _look(run, lab, case, home, is_acknowledged=again.is_acknowledged)
    run.expect(not lab.leftovers(home), Broken.OTHER, f"{case}: a leftover is not swept")


def _trace(run: Run, lab: SavingLab, case: _Case) -> None:
    home = lab.home(case.writer, has_old=case.has_old)
    value = str(len(lab.new(case.writer))) if case.call == "write" else "0"
    fault = case.fault + value if case.fault == "retval=" else case.fault
    ending = run_traced(
        partial(case.writer.write, home, 2),
        "-e",
        f"trace={case.call}",
        "-e",
        f"inject={case.call}:{fault}:when={case.number}",
    )
    if ending.is_disturbed:
        run.disturb()
    run.expect(not ending.is_crashed, Broken.UNHANDLED, str(case))
    _look(run, lab, case, home, is_acknowledged=ending.is_acknowledged)


def _disturb(run: Run, wanted: Sequence[Writer]) -> None:
    lab = SavingLab(run, wanted)
    for case in run.choose(tuple(_cases(lab, wanted)), fast=150):
        _try(run, lab, case)
    if can_trace():
        for case in run.choose(_traced_cases(wanted), fast=25):
            _trace(run, lab, case)


def _run(run: Run) -> None:
    _disturb(run, writers())


def _control(run: Run) -> None:
    _disturb(run, (PLAIN,))


CLASS = TrustClass("D1", "the N-th call of a save fails, lies or kills", 768, _run, _control)
