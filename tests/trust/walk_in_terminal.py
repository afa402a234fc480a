"""A program that walks through every view in the terminal it stands in; see `views`.

    python -m tests.trust.walk_in_terminal FILE FORM OFFSETS

FORM is `whole`, `textual` (drawn by Textual alone), `forgotten` (as if `clean` were the identity),
`forgotten-textual` (both), or `naive` (an app that knows no danger). FILE gets how often a place
really showed the text it was given, as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

import tui_licenses.text
from tests.trust.hostile_text import HOSTILE_TEXTS, mark_of

FORMS = ("whole", "textual", "forgotten", "forgotten-textual")


class Naive(App[None]):
    """Shows each text as it is."""

    def compose(self) -> ComposeResult:
        for entry in HOSTILE_TEXTS:
            if entry.is_storable:
                yield Static(entry.text[:100], markup=False)


def main(arguments: Sequence[str]) -> int:
    """Walk, and write how often a text was shown."""
    file, form = Path(arguments[0]), arguments[1]
    offsets = [int(word) for word in arguments[2].split(",")]
    if form.startswith("forgotten"):
        tui_licenses.text.clean = _as_it_is
    if form == "naive":
        return _run(Naive(), file, _pause)
    from tests.trust.views import make_app

    app = make_app(screen_diff="textual" not in form)
    return _run(app, file, lambda pilot: _walk(pilot, offsets))


def _as_it_is(text: str) -> str:
    return text


def _run(app: App[Any], file: Path, work: Any) -> int:  # noqa: ANN401 - a coroutine function
    counts: dict[str, int] = {}

    async def play(pilot: Pilot[Any]) -> None:
        counts["shown"] = await work(pilot)
        pilot.app.exit(0)

    app.run(auto_pilot=play)
    file.write_text(json.dumps(counts), encoding="utf-8")
    return 0 if app.return_code == 0 else 1


async def _pause(pilot: Pilot[Any]) -> int:
    await pilot.pause(0.3)
    return len(HOSTILE_TEXTS)


async def _walk(pilot: Pilot[Any], offsets: Sequence[int]) -> int:
    from tests.trust.views import walk

    texts = [entry.text for entry in HOSTILE_TEXTS if entry.is_storable]
    marks = {entry.text: mark_of(number) for number, entry in enumerate(HOSTILE_TEXTS)}
    seen = await walk(pilot, texts, offsets)
    return sum(marks[text] in "\n".join(view.lines) for view in seen for text in view.texts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
