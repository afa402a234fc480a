"""The program: arguments become a command, or open the dashboard; no error leaves untold."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tui_licenses.errors import TuiLicensesError, UseError

COLUMNS_MINIMUM = 60
ROWS_MINIMUM = 15
INTERRUPTED = 130
UNEXPECTED = 1


@dataclass(frozen=True, slots=True)
class DashboardRequest:
    """What the dashboard is to open: a context and a place (`instance/ID`), both optional."""

    context_name: str | None = None
    place: str | None = None


def main() -> None:
    """Run the program and leave with its exit status (docs/exit-codes.md)."""
    sys.exit(_guarded(lambda: _run(sys.argv[1:])))


def dashboard_request(arguments: Sequence[str]) -> DashboardRequest | None:
    """Return what to open, or None where the arguments are a command.

    Recognised here, so that the dashboard need not wait for the command line to be imported.
    """
    context_name = place = None
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word == "--context" and words:
            context_name = words.pop(0)
        elif word == "open" and place is None and words and not words[0].startswith("-"):
            place = words.pop(0)
        else:
            return None
    return DashboardRequest(context_name, place)


def open_dashboard(context_name: str | None = None, place: str | None = None) -> int:
    """Check the terminal, run the dashboard and return its exit status.

    Raises `UseError` (`no-terminal`, `terminal-too-small`, `invalid-request`).
    """
    check_terminal()
    from tui_licenses.config import load_configuration
    from tui_licenses.tui.app import run_dashboard
    from tui_licenses.tui.place import Place

    return run_dashboard(
        load_configuration(), context_name, None if place is None else Place.parse(place)
    )


def check_terminal() -> None:
    """Refuse to open the dashboard where it could not be seen; raises `UseError`."""
    # Without a terminal on standard input Textual would spin at full speed.
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UseError(
            "no-terminal",
            "The dashboard needs a terminal, and there is none.",
            "Use a command instead, such as `tui-licenses keys list`; see `tui-licenses --help`.",
        )
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    # 0x0 is what a serial line says when it does not know.
    if (columns or COLUMNS_MINIMUM) < COLUMNS_MINIMUM or (rows or ROWS_MINIMUM) < ROWS_MINIMUM:
        raise UseError(
            "terminal-too-small",
            f"The terminal has {columns}x{rows} cells; the dashboard needs "
            f"{COLUMNS_MINIMUM}x{ROWS_MINIMUM}.",
            "Enlarge it, or use a command such as `tui-licenses keys list`.",
        )


def _run(arguments: Sequence[str]) -> int:
    if list(arguments) == ["--version"]:
        from tui_licenses import __version__

        print(f"tui-licenses {__version__}")
        return 0
    request = dashboard_request(arguments)
    if request is not None:
        return open_dashboard(request.context_name, request.place)
    from tui_licenses.cli.main import run

    return run(arguments, open_dashboard)


def _guarded(action: Callable[[], int]) -> int:
    """Return the exit status of `action`; every error becomes a sentence on standard error."""
    try:
        status = action()
        sys.stdout.flush()
        return status
    except TuiLicensesError as error:
        print(f"Error: {error.message}\n{error.next_step}".rstrip(), file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has seen enough; Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the last boundary: no traceback reaches a user
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    """Log what should not have happened, without local variables, and say where."""
    import traceback

    from tui_licenses import paths

    place = paths.log_file()
    try:
        paths.private_folder(place.parent)
        with place.open("a", encoding="utf-8") as log:
            log.writelines(traceback.format_exception(error))
    except (OSError, TuiLicensesError):
        print("Error: Something unexpected happened, and it could not be logged.", file=sys.stderr)
        return UNEXPECTED
    print("Error: Something unexpected happened; this is a bug.", file=sys.stderr)
    print(f"Please report it with the end of {place}.", file=sys.stderr)
    return UNEXPECTED


if __name__ == "__main__":
    main()
