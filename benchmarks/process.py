"""Memory and processor time of a process and all that it has started, from /proc."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")
_NANOSECONDS_PER_SECOND = 1_000_000_000
_BYTES_PER_KIB = 1024


def peak_memory_bytes(process_id: int) -> int:
    """Return the sum of what each process has ever held at once (VmHWM)."""
    total = 0
    for process in _tree(process_id):
        with suppress(OSError):
            for line in (process / "status").read_text(encoding="utf-8").splitlines():
                if line.startswith("VmHWM:"):
                    total += int(line.split()[1]) * _BYTES_PER_KIB
    return total


def cpu_seconds(process_id: int) -> float:
    """Return the processor time that the living threads have used."""
    total = 0
    for process in _tree(process_id):
        for task in _tasks(process):
            with suppress(OSError):
                total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return total / _NANOSECONDS_PER_SECOND


def _tree(process_id: int) -> Iterator[Path]:
    waiting = [process_id]
    while waiting:
        process = _PROCESSES / str(waiting.pop())
        yield process
        for task in _tasks(process):
            with suppress(OSError):
                children = (task / "children").read_text(encoding="ascii").split()
                waiting.extend(int(child) for child in children)


def _tasks(process: Path) -> list[Path]:
    with suppress(OSError):
        return list((process / "task").iterdir())
    return []
