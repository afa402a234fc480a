"""strace on a forked child: faults in the kernel's answers, and the order of its calls."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tui_licenses.errors import FileError

_ACKNOWLEDGED, _REFUSED, _CRASHED = 0, 10, 1
_LOST_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Traced:
    """What became of a traced child, and the lines that strace wrote of it."""

    is_acknowledged: bool
    is_crashed: bool
    lines: tuple[str, ...]

    @property
    def is_disturbed(self) -> bool:
        """Say whether a fault that was asked for was really injected."""
        return any("(INJECTED)" in line or "killed by SIGKILL" in line for line in self.lines)


def can_trace() -> bool:
    """Say whether strace is here and may look at a process of ours."""
    if shutil.which("strace") is None:
        return False
    return run_traced(lambda: None, "-e", "trace=close").is_acknowledged


def run_traced(work: Callable[[], None], *options: str) -> Traced:
    """Run `work` in a forked child under strace, which counts calls from its beginning."""
    ours, childs = socket.socketpair()
    child = os.fork()
    if child == 0:
        _be_the_child(work, ours, childs)
    childs.close()
    # From here on it makes no call but the one that waits for the tracer.
    ours.recv(1)
    with tempfile.NamedTemporaryFile(prefix="strace-") as log:
        tracer = subprocess.Popen(
            ["strace", "-f", "-o", log.name, "-p", str(child), *options],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert tracer.stderr is not None
        # The first line says that it is attached, or why it cannot be.
        tracer.stderr.readline()
        ours.send(b"!")
        _, status = os.waitpid(child, 0)
        ours.close()
        tracer.communicate(timeout=_LOST_PATIENCE_SECONDS)
        lines = tuple(Path(log.name).read_text("utf-8", "replace").splitlines())
    is_killed = os.WIFSIGNALED(status)
    code = -1 if is_killed else os.WEXITSTATUS(status)
    is_attached = tracer.returncode == 0 or is_killed or bool(lines)
    return Traced(
        code == _ACKNOWLEDGED and is_attached,
        code not in {_ACKNOWLEDGED, _REFUSED, -1},
        lines,
    )


def _be_the_child(
    work: Callable[[], None], parents: socket.socket, ours: socket.socket
) -> NoReturn:
    code = _CRASHED
    try:
        parents.close()
        ours.send(b"?")
        ours.recv(1)
        work()
        code = _ACKNOWLEDGED
    except FileError:
        code = _REFUSED
    finally:
        os._exit(code)
