"""What happens to a failure nobody expected: a line in the log, and words for the user."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime

from tui_licenses import paths
from tui_licenses.errors import TuiLicensesError, UnexpectedError
from tui_licenses.last_resort import places_of
from tui_licenses.text import clean

# One old log is enough to look back; a loop of failures must not fill the disk.
_LOG_BYTES_MAXIMUM = 1_000_000


def record_failure(error: BaseException, now: datetime) -> UnexpectedError:
    """Write a failure to the log, without the values of variables, and return it in words."""
    try:
        log = _append(_entry(error, now))
        next_step = f"It is recorded in {log}. Press r to start again, or q to leave."
    except (OSError, TuiLicensesError):
        next_step = "It could not be recorded. Press r to start again, or q to leave."
    return UnexpectedError(
        "unexpected",
        f"Something unexpected happened ({clean(type(error).__name__)}).",
        next_step,
    )


def write_to_log(line: str) -> None:
    """Write a logged line, while the dashboard has the screen; what cannot be written is lost."""
    with contextlib.suppress(OSError, TuiLicensesError):
        _append(f"{datetime.now(UTC).isoformat(timespec='seconds')} {line}\n")


def _entry(error: BaseException, now: datetime) -> str:
    # Frames and types only: a message or a variable may hold a license key or a token.
    lines = [f"{now.isoformat(timespec='seconds')} {type(error).__name__}", *places_of(error)]
    return "\n".join(map(clean, lines)) + "\n"


def _append(entry: str) -> str:
    log = paths.log_file()
    paths.private_folder(log.parent)
    if log.exists() and log.stat().st_size > _LOG_BYTES_MAXIMUM:
        log.replace(log.with_suffix(".log.1"))
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(log, flags, 0o600), "a", encoding="utf-8") as file:
        file.write(entry)
    return str(log)
