"""What no boundary of ours catches: told by its type and place, never by its words and values.

Python prints such failures with their messages, and libraries log what they were given: either
may hold what somebody typed, what a cloud answered, or a secret.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

    from _typeshed import Unused

Recorder = Callable[[BaseException], object]
# Takes one line, which it may show.
Write = Callable[[str], object]

_OUR_LOGGERS = "tui_licenses"


def take_over(record: Recorder) -> None:
    """Let failures that nobody caught be recorded by this function, and shown nowhere."""

    def tell_exception(_type: Unused, error: BaseException, _traceback: Unused) -> None:
        _tell(record, error)

    sys.excepthook = tell_exception
    sys.unraisablehook = lambda failure: _tell(record, failure.exc_value)


def take_over_libraries(record: Recorder, write: Write | None = None) -> None:
    """Do the same for threads, and tell of what is logged only what is safe to tell.

    Warnings and errors of our own loggers are told in their words, of libraries only that they
    failed: to `write`, a cleaned line each, or else to standard error. Apart from `take_over`,
    since it imports what a first picture does not need.
    """
    import logging
    import threading
    import warnings

    class SafeHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            for line in _lines(record):
                (write or _write_to_standard_error)(line)

    threading.excepthook = lambda failure: _tell(record, failure.exc_value)
    logging.lastResort = SafeHandler(logging.WARNING)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def _write_to_standard_error(line: str) -> None:
    from tui_licenses.text import clean

    print(clean(line), file=sys.stderr, flush=True)


def places_of(error: BaseException) -> list[str]:
    """Return where an error arose, and the type of what caused it, a line each."""
    import traceback

    lines = [
        f"    {frame.filename}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    if error.__cause__ is not None:
        lines.append(f"    caused by {type(error.__cause__).__name__}")
    return lines


def _tell(record: Recorder, error: BaseException | None) -> None:
    if error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):
        record(error)


def _lines(record: logging.LogRecord) -> list[str]:
    from tui_licenses.secret import redact
    from tui_licenses.text import clean

    is_ours = record.name.split(".")[0] == _OUR_LOGGERS
    lines = [redact(record.getMessage()) if is_ours else f"{record.name}: a failure"]
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        lines += [f"  {type(error).__name__}", *places_of(error)]
    return [clean(line) for line in lines]
