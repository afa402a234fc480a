"""Help: the keys of the screen it was opened from, the activation guide, every symbol."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui_licenses.state.columns import status_text
from tui_licenses.tui.commands import (
    ACTIVATION,
    BULK_DOWNLOAD,
    HARDWARE,
    HELP,
    INSTANCE,
    KEY,
    LICENSES,
    PLAN_GATE,
    SAVED_FILES,
    bindings_of,
    commands_of,
)
from tui_licenses.tui.guide import STATUS_MEANINGS, TOPICS, Chapter, chapter
from tui_licenses.tui.keys import shown_key
from tui_licenses.tui.screens.plain import PlainScreen
from tui_licenses.tui.widgets.command_footer import CommandFooter
from tui_licenses.tui.widgets.fact_table import FactTable
from tui_licenses.tui.widgets.status_line import StatusLine

_SCREEN_TITLES = {
    LICENSES: "the list of licenses",
    INSTANCE: "Instance Details",
    KEY: "License Keys",
    HARDWARE: "the hardware table",
    ACTIVATION: "activation",
    SAVED_FILES: "saved files",
    HELP: "this help",
    PLAN_GATE: "the plan",
    BULK_DOWNLOAD: "a bulk download",
}
# The chapter to open for a screen; the others open at their keys.
_CHAPTERS_OF_SCREENS = {ACTIVATION: "automated"}


class HelpScreen(PlainScreen):
    """Scrolls through keys and guide; `topic` is a chapter of the guide or the name of a screen.

    Without a topic it opens at the screen below it.
    """

    NAME = HELP
    BINDINGS = bindings_of(HELP)

    def __init__(self, topic: str | None = None) -> None:
        super().__init__()
        self._topic = topic

    def compose(self) -> ComposeResult:
        yield Static("Help", id="title", markup=False)
        with VerticalScroll(id="text"):
            yield Static("", id="keys-title", markup=False, classes="heading")
            yield FactTable(id="keys")
            for topic in TOPICS:
                yield Static(chapter_text(chapter(topic)), id=f"chapter-{topic}", classes="section")
            yield Static("Every status is a word and a symbol", classes="heading")
            yield FactTable(id="symbols")
        yield StatusLine()
        yield CommandFooter(HELP)

    def on_mount(self) -> None:
        topic = self._topic or self._screen_below()
        screen = topic if topic in _SCREEN_TITLES else LICENSES
        title = Text(f"Keys of {_SCREEN_TITLES[screen]}")
        self.query_one("#keys-title", Static).update(title)
        self.query_one("#keys", FactTable).show(key_facts(screen))
        self.query_one("#symbols", FactTable).show(symbol_facts())
        self.set_focus(self.query_one("#text"))
        opened = topic if topic in TOPICS else _CHAPTERS_OF_SCREENS.get(topic)
        if opened is not None:
            section = self.query_one(f"#chapter-{opened}")
            self.call_after_refresh(section.scroll_visible, animate=False, top=True)

    async def action_command(self, command_id: str) -> None:
        """Run a command; help has no help of its own."""
        if command_id != "help":
            await super().action_command(command_id)

    def _screen_below(self) -> str:
        below = self.app.screen_stack[-2] if len(self.app.screen_stack) > 1 else None
        return str(getattr(below, "NAME", LICENSES))


def key_facts(screen: str) -> list[tuple[str, str]]:
    """Return the keys of a screen with what they do."""
    facts = [
        (", ".join(shown_key(key) for key in command.keys), command.help)
        for command in commands_of(screen)
    ]
    return [*facts, ("Tab", "Go to the next field, list or button; Shift-Tab to the one before.")]


def chapter_text(shown: Chapter) -> Text:
    """Return a chapter of the guide with its title."""
    text = Text()
    text.append(shown.title, style="bold underline")
    for line in shown.lines:
        text.append(f"\n{line}")
    return text


def symbol_facts() -> list[tuple[str, str]]:
    """Return every status of a key with its symbol and meaning."""
    return [(status_text(status), meaning) for status, meaning in STATUS_MEANINGS.items()]
