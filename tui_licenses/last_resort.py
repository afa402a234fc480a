"""What no boundary of ours catches: told by its type and place, never by its words and values.

Python prints such failures with their messages, and libraries log what they were given: either
may hold what somebody typed, what a cloud answered, or a secret.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

    from _typeshed import Unused

OUR_LOGGERS = "tui_licenses"


def take_over(record: Callable[[BaseException], object]) -> None:
    """Let failures that nobody caught be recorded by this function, and shown nowhere."""
    import threading
    import warnings

    def tell(error: BaseException | None) -> None:
        if error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):
            record(error)

    def tell_exception(_type: Unused, error: BaseException, _traceback: Unused) -> None:
        tell(error)

    sys.excepthook = tell_exception
    sys.unraisablehook = lambda failure: tell(failure.exc_value)
    threading.excepthook = lambda failure: tell(failure.exc_value)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def quiet_logging() -> None:
    """Write of warnings and errors that are logged only what is safe to show.

    Those of our own go to standard error in their words; of libraries only that they failed.
    """
    import logging

    class SafeHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            print("\n".join(_lines(record)), file=sys.stderr, flush=True)

    logging.lastResort = SafeHandler(logging.WARNING)


def places_of(error: BaseException) -> list[str]:
    """Return where an error arose, and the types of those that caused it, a line each."""
    lines = [
        f"    {frame.filename}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    if error.__cause__ is not None:
        lines.append(f"    caused by {type(error.__cause__).__name__}")
    return lines


def _lines(record: logging.LogRecord) -> list[str]:
    from tui_licenses.secret import redact
    from tui_licenses.text import clean

    is_ours = record.name.split(".")[0] == OUR_LOGGERS
    lines = [redact(clean(record.getMessage())) if is_ours else f"{record.name}: a failure"]
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        lines += [f"  {type(error).__name__}", *places_of(error)]
    return lines
