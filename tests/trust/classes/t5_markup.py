"""T5: texts that look like markup, in every place of the dashboard: drawn letter for letter.

None of them becomes a link or an action, none is eaten, and none ends the app.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from textual.app import App, ComposeResult
from textual.widgets import Static

from tests.trust.harness import Broken, Run, TrustClass
from tests.trust.hostile_text import MARKUP_TEXTS
from tests.trust.views import VIEWS, Seen, make_app, walk
from tui_licenses.tui.app import TuiLicensesApp

_SIZE = (220, 60)
# So much of a text that was cut to its column is enough to know it by.
_CHARACTERS_LEAST = 4


class _Naive(App[None]):
    """Shows a text as Textual does unless it is told otherwise."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        yield Static(self._text)

    def _print_error_renderables(self) -> None:
        # Pages of variables: the reports say enough.
        self._exit_renderables.clear()


async def _walk(run: Run, rounds: Sequence[int]) -> None:
    app = make_app()
    async with app.run_test(size=_SIZE) as pilot:
        seen = await walk(pilot, MARKUP_TEXTS, rounds, on_shown=lambda: _look_for_actions(run, app))
        run.expect(app.is_running, Broken.UNHANDLED, "the dashboard has ended")
    run.expect(len(seen) == len(VIEWS) * len(rounds), Broken.OTHER, "not every view was opened")
    for view in seen:
        _look(run, view)


def _look_for_actions(run: Run, app: TuiLicensesApp) -> None:
    for strip in app.screen._compositor.render_strips():
        for _, style, _ in strip:
            if style is not None and (style.link or "@click" in style.meta):
                run.report(Broken.FORGED, f"an action on {app.screen}: {style.meta} {style.link}")


def _look(run: Run, seen: Seen) -> None:
    """Look for each text, whole, or to where its column ends."""
    flat = " ".join(line.strip() for line in seen.lines)
    for text in seen.texts:
        if any(text in line for line in (flat, *seen.lines)) or any(
            f"{text[:length]}…" in flat for length in range(_CHARACTERS_LEAST, len(text))
        ):
            run.disturb()
        elif seen.view.name not in _CUT_VIEWS:
            run.report(Broken.CORRUPT, f"{seen.view.name} does not show {text!r}")


# Where a name takes another form: a path has no `/`, a field scrolls to its end.
_CUT_VIEWS = frozenset({"saved files", "download", "location editor"})


def _run(run: Run) -> None:
    rounds = range(len(MARKUP_TEXTS))
    asyncio.run(_walk(run, run.choose(rounds, fast=1)))


def _control(run: Run) -> None:
    for text in MARKUP_TEXTS:
        with run.case(text):
            asyncio.run(_show_naively(run, text))


async def _show_naively(run: Run, text: str) -> None:
    app = _Naive(text)
    async with app.run_test(size=(80, 5)) as pilot:
        await pilot.pause()
        lines = [strip.text for strip in app.screen._compositor.render_strips()]
    run.disturb()
    run.expect(any(text in line for line in lines), Broken.CORRUPT, f"{text!r} is not shown")


CLASS = TrustClass("T5", "markup in every place of the screen", 700, _run, _control)
