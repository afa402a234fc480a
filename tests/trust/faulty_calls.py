"""Letting the N-th call to the operating system fail, lie, or be the last one of the process.

The functions of `os` are replaced in a forked child, which does one thing, tells what became of
it through a pipe, and ends. No strace is needed.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from tui_licenses.errors import FileError

Call = Callable[..., object]

# What saving asks of the operating system, as far as it can go wrong there.
CALLS = ("open", "write", "fchmod", "fstat", "fsync", "close", "link", "rename", "unlink", "stat")
# A call that only looks, or that must give a descriptor, has no success to pretend.
_CANNOT_LIE = frozenset({"open", "fstat", "stat"})

# A save takes some thousandths of a second, unless the host is busy.
PATIENCE_SECONDS = 30

KILL_BEFORE, KILL_AFTER, LIE = "killed before", "killed after", "only pretended"
REFUSALS = ("EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES", "EINTR", "ESTALE")
FAULTS = (KILL_BEFORE, KILL_AFTER, LIE, *REFUSALS)


@dataclass(frozen=True)
class Ending:
    """How a child ended: what it acknowledged or was refused, and which calls it made.

    `reached` is the call that the fault hit, `crash` an exception that was nobody's answer.
    """

    is_acknowledged: bool
    refusal: str
    crash: str
    reached: str
    calls: tuple[str, ...]
    is_killed: bool
    is_stuck: bool


def run_child(
    work: Callable[[], None],
    disturb: Disturb | None = None,
    patience_seconds: int = PATIENCE_SECONDS,
) -> Ending:
    """Run `work` in a forked child whose calls are watched, and disturbed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_child(work, disturb, writing, patience_seconds)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        lines = stream.read().decode("utf-8", "replace").splitlines()
    _, status = os.waitpid(child, 0)
    told = [line.partition(" ")[::2] for line in lines]

    def first(word: str) -> str:
        return next((rest for start, rest in told if start == word), "")

    return Ending(
        is_acknowledged=any(start == "acknowledged" for start, _ in told),
        refusal=first("refused"),
        crash=first("crashed"),
        reached=first("reached"),
        calls=tuple(rest for start, rest in told if start == "call"),
        is_killed=os.WIFSIGNALED(status),
        is_stuck=os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM,
    )


class Disturb:
    """Something done to the N-th call, counted from 1; `names` are the calls that count."""

    def __init__(self, number: int, fault: str, names: Sequence[str] = CALLS) -> None:
        self.number = number
        self.fault = fault
        self.names = names

    def happen(self, name: str, function: Call, *words: object, **how: object) -> object:
        """Make the call, or not, as the fault wants it."""
        if self.fault == KILL_BEFORE:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault in REFUSALS:
            number = getattr(errno, self.fault)
            raise OSError(number, os.strerror(number))
        if self.fault == LIE and name not in _CANNOT_LIE:
            return len(memoryview(words[1])) if name == "write" else None  # type: ignore[arg-type]
        done = function(*words, **how)
        if self.fault == KILL_AFTER:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    def can_reach(self, name: str) -> bool:
        """Say whether the fault changes anything about a call."""
        return self.fault != LIE or name not in _CANNOT_LIE


def _be_the_child(
    work: Callable[[], None], disturb: Disturb | None, pipe: int, patience_seconds: int
) -> NoReturn:
    write = os.write
    seen = 0

    def tell(word: str, rest: str = "") -> None:
        write(pipe, f"{word} {rest}".replace("\n", " ").encode() + b"\n")

    def watched(name: str, function: Call) -> Call:
        def call(*words: object, **how: object) -> object:
            nonlocal seen
            tell("call", name)
            if disturb is None or name not in disturb.names:
                return function(*words, **how)
            seen += 1
            if seen != disturb.number or not disturb.can_reach(name):
                return function(*words, **how)
            tell("reached", name)
            return disturb.happen(name, function, *words, **how)

        return call

    # A child that waits for a pipe nobody reads ends too, killed.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(patience_seconds)
    try:
        for name in CALLS:
            setattr(os, name, watched(name, getattr(os, name)))
        work()
        tell("acknowledged")
    except FileError as error:
        tell("refused", error.code)
    except BaseException as error:  # noqa: BLE001 - what a class is there to find
        tell("crashed", repr(error))
    finally:
        sys.stdout.flush()
        os._exit(0)
