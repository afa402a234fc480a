"""Runs the dashboard: from its first picture to the exit status, again after a bug."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from tui_licenses.config import Configuration, load_configuration
from tui_licenses.errors import UnexpectedError
from tui_licenses.last_resort import take_over_libraries
from tui_licenses.tui.app import TuiLicensesApp
from tui_licenses.tui.crash import record_failure, write_to_log
from tui_licenses.tui.first_picture import Opening
from tui_licenses.tui.place import Place
from tui_licenses.wiring import OPEN_CHANGE, open_services


def run_dashboard(
    configuration: Configuration,
    context_name: str | None = None,
    place: Place | None = None,
    opening: Opening = Opening(),  # noqa: B008 - a tuple of nothing
    *,
    tell: Callable[[str], object] = lambda _: None,
) -> int:
    """Run the dashboard until it is left, and return the exit status.

    After a bug the problem is shown in a small app of its own: the terminal is whole again, and
    the dashboard can be started anew. `tell` shows a line once the terminal is given back. Raises
    `UnexpectedError` where even that app failed.
    """
    take_over_libraries(lambda error: record_failure(error, datetime.now(UTC)), write_to_log)
    while True:
        services = open_services(configuration, context_name)
        app = TuiLicensesApp(services, configuration, place=place, opening=opening)
        status = app.run(mouse=configuration.settings.mouse)
        app.keep_first_picture()
        if app.failure is not None and status is None:
            from tui_licenses.tui.screens.problem import ProblemApp

            problem = ProblemApp(app.failure, configuration.settings)
            if not problem.run():
                if problem.failure is not None:
                    raise UnexpectedError("unexpected", app.failure.message, "See the log.")
                return 1
        elif not app.wants_restart:
            if services.has_open_changes():
                tell(OPEN_CHANGE)
            return status or 0
        configuration, opening = load_configuration(), Opening()
