"""What is logged: cleaned lines, and never over the dashboard.

What nobody configured Python writes to standard error as it is: in the middle of the screen, and
with the messages of exceptions, which may hold what came from outside, a license key or a token.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tui_licenses.text import clean

if TYPE_CHECKING:
    from threading import ExceptHookArgs

# Takes one line.
Write = Callable[[str], object]


def frames_of(error: BaseException) -> Iterator[str]:
    """Give where a failure came from: files, lines, types; no messages, no variables."""
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"    {frame.filename}:{frame.lineno} in {frame.name}"
    if error.__cause__ is not None:
        yield f"    caused by {type(error.__cause__).__name__}"


class _Lines(logging.Handler):
    def __init__(self, write: Write) -> None:
        super().__init__(logging.WARNING)
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        lines = [record.getMessage()]
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            lines += [f"    {type(error).__name__}", *frames_of(error)]
        _write_lines(self._write, lines)


def _write_lines(write: Write, lines: list[str]) -> None:
    for line in lines:
        write(clean(line))


def log_to(write: Write) -> None:
    """Give each warning that nobody else takes to `write`, as cleaned lines."""
    logging.lastResort = _Lines(write)


def log_failures_to(write: Write) -> None:
    """Give failures of threads and of objects that end to `write`, too."""

    def of_thread(failed: ExceptHookArgs) -> None:
        if failed.exc_value is not None:
            told = f"A thread failed: {failed.exc_type.__name__}"
            _write_lines(write, [told, *frames_of(failed.exc_value)])

    def of_object(failed: sys.UnraisableHookArgs) -> None:
        if failed.exc_value is not None:
            told = f"Something failed while it ended: {failed.exc_type.__name__}"
            _write_lines(write, [told, *frames_of(failed.exc_value)])

    threading.excepthook = of_thread
    sys.unraisablehook = of_object
