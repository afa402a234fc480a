"""Every frame of real screens, shown by the screen diff and by Textual, cell by cell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import pytest
from rich.color import ColorSystem
from rich.console import RenderableType
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Input, Static
from wcwidth import iter_graphemes, wcswidth

from tests.support.emulator import Emulator, differences
from tests.support.random_frames import WORDS
from tests.tui.conftest import OpenDashboard
from tui_licenses.config import Settings
from tui_licenses.text import clean
from tui_licenses.tui.screen_diff import FramePicture
from tui_licenses.tui.screens.confirm import ConfirmScreen
from tui_licenses.tui.theme import THEMES, AsciiFilter, style_sheets
from tui_licenses.tui.widgets.row_table import RowTable, TableColumn

SIZES = ((80, 24), (61, 16), (100, 20), (40, 12), (72, 18))


class Comparison:
    """Takes each frame of an app and shows it in both ways."""

    def __init__(self) -> None:
        self.picture = FramePicture()
        self.textual, self.diff = Emulator(1, 1), Emulator(1, 1)
        self.frames = 0
        self.lines = 0
        self.lines_left_out = 0
        self.found: list[object] = []
        self._left_out: set[int] = set()

    def show(self, app: App[Any], frame: object) -> None:
        """Show a frame in both ways and compare."""
        if not isinstance(frame, ChopsUpdate | LayoutUpdate) or app._batch_count:
            return
        if isinstance(frame, LayoutUpdate) and frame.region.size != self.size:
            size = frame.region.size
            self.textual, self.diff = Emulator(*size), Emulator(*size, erases_in_color=True)
            self.picture.forget()
        assert self.picture.takes(frame)
        self.picture.take(frame, app.console._color_system or ColorSystem.TRUECOLOR)
        self.diff.feed(self.picture.changes((0, 0)))
        self.textual.feed(frame.render_segments(app.console))
        self._leave_out(frame)
        self.frames += 1
        self.lines += self.diff.lines
        self.lines_left_out += len(self._left_out)
        self.found += [
            cell for cell in differences(self.diff, self.textual) if cell[0] not in self._left_out
        ]

    @property
    def size(self) -> tuple[int, int]:
        """Return the columns and lines of the terminals."""
        return self.diff.columns, self.diff.lines

    def _leave_out(self, frame: ChopsUpdate | LayoutUpdate) -> None:
        """Leave out lines that Textual cut apart at places where the terminal has none."""
        if isinstance(frame, LayoutUpdate):
            self._left_out = {y for y, line in enumerate(frame.strips) if _is_miscounted(line)}
            return
        for y in {y for y, _, _ in frame.spans}:
            if _is_miscounted(frame.chops[y].values()):
                self._left_out.add(y)


def _is_miscounted(strips: Iterable[Strip | None]) -> bool:
    return any(
        strip and sum(map(wcswidth, iter_graphemes(strip.text))) != strip.cell_length
        for strip in strips
    )


@pytest.fixture
def comparison_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[App[Any]], Comparison]:
    """Compare each frame of an app."""
    comparisons: dict[App[Any], Comparison] = {}
    textual_display = App._display

    def display(app: App[Any], screen: Screen[Any], frame: RenderableType | None) -> None:
        comparisons.setdefault(app, Comparison()).show(app, frame)
        textual_display(app, screen, frame)

    monkeypatch.setattr(App, "_display", display)
    return comparisons.__getitem__


class Playground(App[None]):
    """A table with hostile rows, a field, and a dialog over both."""

    CSS_PATH = style_sheets()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "rows", priority=True),
        Binding("ctrl+o", "ask", priority=True),
        Binding("ctrl+t", "other_theme", priority=True),
    ]

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.random = random
        self.animation_level = "none"
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = random.choice(THEMES).name
        if random.random() < 0.2:
            self._filters.append(AsciiFilter())

    def compose(self) -> ComposeResult:
        yield Static("the head", markup=False)
        yield Input()
        yield RowTable(
            (
                TableColumn("name", "Name", 30, 8, lambda row: row),
                TableColumn("more", "More", 20, 4, lambda row: row[::-1], drop_order=1),
            ),
            str,
            row_tone=lambda row: ("bad", "good", None, "strong")[len(row) % 4],
        )

    def on_mount(self) -> None:
        self.action_rows()

    def action_rows(self) -> None:
        words = [word for script in WORDS for word in script] + ["[red]x", "\x1b[31m", "a\tb"]
        rows = [
            clean(" ".join(self.random.choices(words, k=self.random.randint(0, 5))))
            for _ in range(self.random.choice((0, 5, 60)))
        ]
        self.query_one(RowTable).show_rows(rows)

    def action_ask(self) -> None:
        if not isinstance(self.screen, ConfirmScreen):
            self.push_screen(ConfirmScreen("Forget القاهرة, 東京 and the rest?", "Keep", "Forget"))

    def action_other_theme(self) -> None:
        self.theme = self.random.choice(THEMES).name


KEYS_OF_THE_PLAYGROUND = (
    *("down", "down", "down", "up", "pagedown", "pageup", "home", "end", "tab", "ctrl+n"),
    *("ctrl+o", "escape", "left", "backspace", "ctrl+t", "n"),
)


async def _play(
    pilot: Pilot[Any], random: Random, keys: Sequence[str], steps: int, comparison: Comparison
) -> None:
    app = pilot.app
    for _ in range(steps):
        chance = random.random()
        if chance < 0.03:
            await pilot.resize_terminal(*random.choice(SIZES))
        elif chance < 0.15 and isinstance(app.focused, Input):
            app.focused.insert_text_at_cursor(random.choice(random.choice(WORDS)))
        else:
            await pilot.press(random.choice(keys))
        assert comparison.found == []
    assert comparison.frames > steps / 2
    assert comparison.lines_left_out < 0.2 * comparison.lines


async def test_a_table_a_field_and_a_dialog_look_as_textual_shows_them(
    comparison_of: Callable[[App[Any]], Comparison], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(seed: int) -> None:
        random = Random(seed)
        app = Playground(random)
        async with app.run_test(size=(80, 24)) as pilot:
            await _play(pilot, random, KEYS_OF_THE_PLAYGROUND, 120, comparison_of(app))

    # Side by side: an app waits more than it works.
    await asyncio.gather(*(play(seed) for seed in range(4)))
    monkeypatch.setenv("NO_COLOR", "1")
    await asyncio.gather(*(play(seed) for seed in range(4, 6)))


KEYS_OF_THE_DASHBOARD = (
    *("down", "down", "down", "up", "pagedown", "pageup", "home", "end", "space", "plus", "tab"),
    *("slash", "a", "enter", "escape", "escape", "escape", "escape", "s", "S", "m", "u", "i", "e"),
    *("t", "v", "l", "question_mark", "colon", "f8", "f7", "left", "backspace", "d", "ctrl+l"),
)


@pytest.mark.parametrize(
    ("theme", "has_ascii", "has_color"),
    [
        ("dark", False, True),
        ("light", False, True),
        ("ansi", False, True),
        ("dark", True, True),
        ("dark", False, False),
    ],
)
async def test_the_dashboard_looks_as_textual_shows_it(
    theme: str,
    has_ascii: bool,
    has_color: bool,
    comparison_of: Callable[[App[Any]], Comparison],
    open_dashboard: OpenDashboard,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not has_color:
        monkeypatch.setenv("NO_COLOR", "1")
    random = Random(f"{theme} {has_ascii} {has_color}")
    settings = Settings(refresh_seconds=0, theme=theme, ascii=has_ascii, download_folder=tmp_path)
    async with open_dashboard(size=(80, 24), settings=settings) as dashboard:
        comparison = comparison_of(dashboard.app)
        await _play(dashboard.pilot, random, KEYS_OF_THE_DASHBOARD, 80, comparison)
