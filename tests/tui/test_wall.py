"""The second wall: what leaves for the terminal is harmless, even where `clean` was forgotten."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.strip import Strip
from textual.widgets import Static

from tests.pty.terminal import Terminal
from tests.trust.terminal_stream import DASHBOARD, foreign_control
from tui_licenses import paths
from tui_licenses.tui.app import TuiLicensesApp
from tui_licenses.tui.clipboard import copy_sequence
from tui_licenses.tui.picture_cells import decode_lines, encode_lines
from tui_licenses.tui.screens.problem import ProblemApp
from tui_licenses.tui.terminal_cells import Line, Pen
from tui_licenses.tui.wall import Wall, WalledApp, without_hidden

BLACK = Color(0, 0, 0)


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("plain", "plain"),
        ("Zürich 東京 👩\u200d👧 क्\u200dष", "Zürich 東京 👩\u200d👧 क्\u200dष"),
        ("a\x1b[31mb\x9bc\x00d\x7f", "a[31mbcd"),
        ("a\u202eb\u2066c\u200bd", "abcd"),
        ("a\ud800b\ue000c", "a?b?c"),
    ],
)
def test_hidden_characters_do_not_pass_and_take_no_cell_more(text: str, passed: str) -> None:
    assert without_hidden(text) == passed


def test_a_line_without_anything_hidden_is_not_made_anew() -> None:
    segments = [Segment("plain", Style(bold=True)), Segment("more")]
    assert Wall().apply(segments, BLACK) is segments


def test_links_and_foreign_control_segments_do_not_pass() -> None:
    link = Style(link="http://example.com", bold=True)
    control = Segment("\x1b[2J", None, [(1,)])  # type: ignore[list-item]
    first, second = Wall().apply([Segment("a", link), control], BLACK)
    assert first.text == "a"
    assert first.style is not None
    assert first.style.link is None
    assert first.style.bold
    assert second == Segment("")


def test_what_is_copied_is_harmless_where_it_is_pasted() -> None:
    assert copy_sequence("a\x1b[31m\r\u202eb\nc", {}) == copy_sequence("a[31mb\nc", {})


class Forgetful(WalledApp[None]):
    """Draws what nobody cleaned."""

    def compose(self) -> ComposeResult:
        title = Static("a\x1b]0;pwned\x07b", markup=False)
        title.styles.border = ("solid", "white")
        title.border_title = "t\x9bt"
        yield title


async def test_every_line_of_an_app_passes_the_wall() -> None:
    app = Forgetful()
    async with app.run_test(size=(40, 6)):
        strips: list[Strip] = app.screen._compositor.render_strips()
        drawn = "".join(strip.text for strip in strips)
    assert "a]0;pwnedb" in drawn
    assert "tt" in drawn
    assert not {"\x1b", "\x07", "\x9b"} & set(drawn)


def test_every_app_of_the_program_has_the_wall() -> None:
    assert issubclass(TuiLicensesApp, WalledApp)
    assert issubclass(ProblemApp, WalledApp)
    found = [
        path.name
        for path in Path(sys.modules["tui_licenses"].__path__[0]).rglob("*.py")
        if re.search(r"\(App(\[\w+\])?[,)]", path.read_text(encoding="utf-8"))
    ]
    assert found == ["wall.py"]


# Textual's own ways to tell of a failure. Where one of these names is gone, a new Textual tells
# in another way, and `wall` has to be looked at before anything else.
HOOKS = {
    "_fatal_error",
    "_handle_exception",
    "_print_error_renderables",
    "copy_to_clipboard",
    "get_line_filters",
}


def test_textual_still_has_the_names_that_the_wall_stands_at() -> None:
    assert set(vars(App)) >= HOOKS
    assert set(vars(WalledApp)) >= HOOKS
    assert {"_exit_renderables", "_exception"} <= set(vars(Forgetful()))


FAILING = """
from textual import work
from textual.widgets import Static
from tui_licenses.tui.wall import WalledApp

class Failing(WalledApp[int]):
    {css}

    def fail(self):
        secret = "canary-{{}}".format(1234) + "\\x1b[6666m"
        raise RuntimeError("told " + secret)

    def compose(self):
        {compose}
        yield Static("a")

    {more}

app = Failing()
app.run()
print("FAILURE", type(app.failure).__name__)
"""
WAYS = {
    "while composing": {"compose": "self.fail()"},
    "while mounting": {"more": "def on_mount(self): self.fail()"},
    "later": {"more": "def on_mount(self): self.call_later(self.fail)"},
    "in a timer": {"more": "def on_mount(self): self.set_timer(0.01, self.fail)"},
    "in a worker": {
        "more": "def on_mount(self): self.run_worker(self.w())\n    async def w(self): self.fail()"
    },
    "in a thread": {
        "more": "def on_mount(self): self.run_worker(self.fail, thread=True)",
    },
    "in a style sheet": {"css": "CSS = 'Static { color: \\x1b[6666m canary-1234; }'"},
    "by a panic": {"more": "def on_mount(self): self.panic('canary-1234 \\x1b[6666m')"},
    "by its own hook": {"more": "def on_mount(self): self._fatal_error()"},
}


@pytest.mark.parametrize("way", WAYS)
def test_an_app_that_fails_shows_neither_variables_nor_messages(way: str) -> None:
    parts = {"css": "", "compose": "", "more": "", **WAYS[way]}
    environment = {**os.environ, "TERM": "xterm-256color"}
    with Terminal([sys.executable, "-c", FAILING.format(**parts)], environment) as terminal:
        assert terminal.wait_for_exit() == 0
    assert list(foreign_control(terminal.raw, DASHBOARD)) == []
    assert b"canary" not in terminal.raw
    assert b"locals" not in terminal.raw
    assert b"Traceback" not in terminal.raw
    if way != "by a panic":
        assert b"FAILURE UnexpectedError" in terminal.raw
        assert "canary" not in paths.log_file().read_text(encoding="utf-8")


def test_what_is_told_at_the_end_is_cleaned() -> None:
    told = "def on_mount(self): self.exit(message='told \\x1b[6666m[b]end')"
    program = FAILING.format(css="", compose="", more=told)
    environment = {**os.environ, "TERM": "xterm-256color"}
    with Terminal([sys.executable, "-c", program], environment) as terminal:
        assert terminal.wait_for_exit() == 0
    assert "told ‹U+001B›[6666m[b]end".encode() in terminal.raw
    assert list(foreign_control(terminal.raw, DASHBOARD)) == []


def test_a_kept_picture_with_control_characters_or_other_codes_is_not_shown() -> None:
    line = Line(["a", "b"], [Pen.known(("1",), "31", "49")] * 2)
    assert decode_lines(encode_lines([line])) is not None
    for glyphs, code in ((["\x1b", "b"], "31"), (["a", "\x9b"], "31"), (["a", "b"], "31m\x1b[2J")):
        planted = Line(glyphs, [Pen.known(("1",), code, "49")] * 2)
        assert decode_lines(encode_lines([planted])) is None
