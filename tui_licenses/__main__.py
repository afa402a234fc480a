"""The program: arguments become a command, or open the dashboard; no error leaves untold."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tui_licenses.errors import TuiLicensesError

INTERRUPTED = 130
UNEXPECTED = 1
_COMMAND_LINE = "tui_licenses.cli.main"
HELP_COLUMNS = 80
HELP_FILE = os.path.join(os.path.dirname(__file__), "help.txt")  # noqa: PTH118, PTH120 - pathlib costs 5 ms


class DashboardRequest(NamedTuple):
    """What the dashboard is to open: a context and a place (`instance/ID`), both optional."""

    context_name: str | None = None
    place: str | None = None


def main() -> None:
    """Run the program and leave with its exit status (docs/exit-codes.md)."""
    from tui_licenses.last_resort import take_over

    take_over(_recorded)
    if "TUI_LICENSES_REFRESH_TOKEN" in os.environ:
        from tui_licenses.secret import hold_secrets

        hold_secrets(os.environ)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments ask for and return the exit status; nothing is raised."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                # A terminal that cannot show a name must not keep the rest from being shown.
                stream.reconfigure(errors="backslashreplace")
        status = _dispatch(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has seen enough; Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as end:
        # A library that ends the program in its own words.
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        return _fail(arguments, end)
    except Exception as error:  # noqa: BLE001 - the last boundary: no traceback reaches a user
        return _fail(arguments, error)
    return status


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


def open_dashboard(
    context_name: str | None = None,
    place: str | None = None,
    *,
    mask: bool = False,
    has_colour: bool = True,
) -> int:
    """Check the terminal, run the dashboard and return its exit status.

    Raises `UseError` (`no-terminal`, `terminal-too-small`, `invalid-request`).
    """
    check_terminal()
    from dataclasses import replace

    from tui_licenses.config import load_configuration
    from tui_licenses.tui.place import Place

    chosen = None if place is None else Place.parse(place)
    configuration = load_configuration()
    if mask:
        settings = replace(configuration.settings, mask_keys=True)
        configuration = replace(configuration, settings=settings)
    if not has_colour:
        os.environ["NO_COLOR"] = "1"
    from tui_licenses.tui.first_picture import Opening, show_first_picture

    # What is made until the first rows answer is there to stay: to look for garbage in it, again
    # and again, takes a tenth of the start. The dashboard switches the collector on again.
    gc.disable()
    # Textual draws what a key has changed at the next of so many ticks a second. Sixty are felt
    # where an answer takes two of them; more cost nothing: what has not changed is not drawn.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    opening = Opening() if chosen else show_first_picture(configuration, context_name)
    try:
        from tui_licenses.tui.run import run_dashboard

        return run_dashboard(configuration, context_name, chosen, opening, tell=_tell)
    finally:
        # Before an error is told.
        if opening.terminal is not None:
            opening.terminal.give_back()


def _tell(line: str) -> None:
    from tui_licenses.text import clean

    print(clean(line), file=sys.stderr)


def check_terminal() -> None:
    """Refuse to open the dashboard where it could not be seen; raises `UseError`."""
    from tui_licenses.errors import UseError
    from tui_licenses.terminal import COLUMNS_MINIMUM, ROWS_MINIMUM, terminal_size

    size = terminal_size()
    # Without a terminal on standard input Textual would spin at full speed.
    if size is None:
        raise UseError(
            "no-terminal",
            "The dashboard needs a terminal, and there is none.",
            "Use a command instead, such as `tui-licenses keys list`; see `tui-licenses --help`.",
        )
    if not size.is_enough:
        raise UseError(
            "terminal-too-small",
            f"The terminal has {size.columns}x{size.rows} cells; the dashboard needs "
            f"{COLUMNS_MINIMUM}x{ROWS_MINIMUM}.",
            "Enlarge it, or use a command such as `tui-licenses keys list`.",
        )


def _dispatch(arguments: Sequence[str]) -> int:
    if list(arguments) == ["--version"]:
        from tui_licenses import __version__

        print(f"tui-licenses {__version__}")
        return 0
    request = dashboard_request(arguments)
    if request is not None:
        return open_dashboard(request.context_name, request.place)
    if list(arguments) in (["--help"], ["-h"]) and _columns() >= HELP_COLUMNS:
        with open(HELP_FILE, encoding="utf-8") as file:  # noqa: PTH123 - as above
            print(file.read(), end="")
        return 0
    from tui_licenses.cli.main import run as run_command
    from tui_licenses.last_resort import take_over_libraries

    take_over_libraries(_recorded)
    return run_command(arguments, open_dashboard)


def _columns() -> int:
    """Return how wide the help may be, as the command line decides it."""
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1).columns
    except OSError:
        return HELP_COLUMNS


def _fail(arguments: Sequence[str], error: BaseException) -> int:
    """Tell an error in the format that was asked for, and return its exit status."""
    from tui_licenses.errors import TuiLicensesError

    told = error if isinstance(error, TuiLicensesError) else _recorded(error)
    if _COMMAND_LINE in sys.modules:
        from tui_licenses.cli.main import make_output

        make_output(arguments).failure(told)
    else:
        from tui_licenses.text import clean

        print(f"Error: {clean(told.message)}\n{clean(told.next_step)}", file=sys.stderr)
    return told.exit_status


def _recorded(error: BaseException) -> TuiLicensesError:
    """Log what should not have happened, without messages and variables, and say where."""
    from datetime import UTC, datetime

    from tui_licenses import paths
    from tui_licenses.errors import UnexpectedError
    from tui_licenses.tui.crash import record_failure

    log = str(paths.log_file())
    is_logged = log in record_failure(error, datetime.now(UTC)).next_step
    return UnexpectedError(
        "unexpected",
        f"Something unexpected happened ({type(error).__name__}); this is a bug.",
        f"Please report it with the end of {log}." if is_logged else "It could not be logged.",
    )


if __name__ == "__main__":
    main()
