"""Runs the dashboard: from its first picture to the exit status, again after a bug."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from tui_licenses import paths
from tui_licenses.config import Configuration, load_configuration
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
        starts_again = app.wants_restart
        failure = app.failure if status is None else None
        if failure is not None:
            from tui_licenses.tui.screens.problem import ProblemApp

            problem = ProblemApp(failure, configuration.settings)
            starts_again, status = bool(problem.run()), 1
            if problem.failure is not None:
                failure.next_step = f"See {paths.log_file()}, then start it again."
                raise failure
        if not starts_again:
            if services.has_open_changes():
                tell(OPEN_CHANGE)
            return status or 0
        configuration, opening = load_configuration(), Opening()
