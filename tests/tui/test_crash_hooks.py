"""The hooks of Textual that keep its own crash screen, which shows variables, from being seen.

They are private to Textual: a new version that moves them must be met here, not by a user.
"""

from __future__ import annotations

import inspect

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Static

from tui_licenses.config import Settings
from tui_licenses.errors import UnexpectedError
from tui_licenses.tui.app import TuiLicensesApp
from tui_licenses.tui.screens.problem import ProblemApp, ProblemScreen

CANARY = "tlr_canary"


class Naive(App[None]):
    """Does nothing against Textual's crash screen."""

    def compose(self) -> ComposeResult:
        kept = CANARY
        yield Static(f"{1 // 0}{kept}")


async def _shown_by(app: App[object], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(ZeroDivisionError):
        async with app.run_test():
            pass
    # What an app prints once the terminal is given back.
    app._print_error_renderables()
    return "".join(capsys.readouterr())


async def test_the_crash_screen_of_textual_shows_variables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert CANARY in await _shown_by(Naive(), capsys)  # type: ignore[arg-type]


async def test_a_bug_in_the_app_for_problems_shows_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def compose(_: ProblemScreen) -> ComposeResult:
        kept = CANARY
        yield Static(f"{1 // 0}{kept}")

    monkeypatch.setattr(ProblemScreen, "compose", compose)
    app = ProblemApp(UnexpectedError("unexpected", "A problem."), Settings())
    with pytest.raises(ZeroDivisionError):
        async with app.run_test():
            pass
    app._print_error_renderables()
    assert "".join(capsys.readouterr()) == ""


@pytest.mark.parametrize("app", [TuiLicensesApp, ProblemApp])
def test_each_app_has_hooks_of_its_own_where_textual_calls_them(app: type[App[object]]) -> None:
    assert app._handle_exception is not App._handle_exception
    assert "self._fatal_error()" in inspect.getsource(App._handle_exception)
    callers = inspect.getsource(inspect.getmodule(App))  # type: ignore[arg-type]
    assert callers.count("_fatal_error") == 2, "another way to the crash screen"
