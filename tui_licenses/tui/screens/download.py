"""Where a download goes: the whole path, before anything is fetched or written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from tui_licenses import paths
from tui_licenses.service.outcomes import DocumentKind
from tui_licenses.text import clean, width_cells
from tui_licenses.tui.screens.dismissible import Dialog
from tui_licenses.tui.widgets.tick import Tick

_TITLES: dict[DocumentKind | None, str] = {
    None: "Save the hardware table (.csv)",
    DocumentKind.LICENSE: "Download the server license file (.bin)",
    DocumentKind.CERTIFICATE: "Download the license certificate (.pdf)",
    DocumentKind.PROFILE: "Download the server profile (.xml)",
    DocumentKind.MANIFEST: "Download the signed manifest (.json)",
}


@dataclass(frozen=True, slots=True)
class DownloadChoice:
    """The folder to save into; `force` replaces a file of that name with other contents."""

    folder: Path
    force: bool


class DownloadScreen(Dialog[DownloadChoice | None]):
    """Shows where a download goes, lets its folder be changed, tells which files are there.

    `kind` None stands for the hardware table; `names` are those of all files; `note` says what
    they will hold.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel"),
        Binding("up", "app.focus_previous", "Previous", show=False),
        Binding("down", "app.focus_next", "Next", show=False),
    ]

    def __init__(
        self,
        kind: DocumentKind | None,
        names: Sequence[str],
        default_folder: Path,
        note: str,
    ) -> None:
        super().__init__()
        self._kind = kind
        self._names = frozenset(names)
        self._only_name = names[0] if len(names) == 1 else None
        self._default_folder = default_folder
        self._note = note

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(_TITLES[self._kind], id="title")
            note = "\n".join(map(clean, self._note.split("\n")))
            yield Static(Text(note), id="note")
            yield Static("Folder", classes="label")
            folder = Input(str(self._default_folder), compact=True, id="folder")
            folder.cursor_blink = False
            yield folder
            yield Static("Saved as" if self._only_name else "Saved in", classes="label")
            yield Static(id="path")
            yield Static(id="warning")
            files = "that file if its" if self._only_name else "those files whose"
            yield Tick(f"Replace {files} contents differ", id="replace")
            with Horizontal(id="decisions"):
                yield Button("Save", id="save", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self._show_path()
        self.set_focus(self.query_one("#save", Button))

    @property
    def _folder(self) -> Path:
        typed = self.query_one("#folder", Input).value.strip()
        try:
            return Path(typed or ".").expanduser().absolute()
        except RuntimeError:
            # `~name` of a user who does not exist is a folder like any other.
            return Path(typed).absolute()

    @on(Input.Changed, "#folder")
    def _follow_typed_folder(self, event: Input.Changed) -> None:
        event.stop()
        self._show_path()

    def _show_path(self) -> None:
        folder = self._folder
        path = folder if self._only_name is None else folder / self._only_name
        count = self._count_there(folder)
        warning = ""
        if not paths.is_folder(folder):
            warning = "There is no such folder. Create it, or choose another one."
        elif count and self._only_name is not None:
            warning = "A file of this name is there. The same contents are left alone."
        elif count:
            warning = (
                f"Already there: {count:,} of {len(self._names):,}; what is still current "
                "is not fetched again."
            )
        self._write_path(path)
        self.query_one("#warning", Static).update(Text(warning))
        self.query_one("#warning").display = bool(warning)
        self.query_one("#replace").display = count > 0

    def _count_there(self, folder: Path) -> int:
        """Return how many of the files are in a folder."""
        try:
            with os.scandir(folder) as entries:
                return sum(entry.name in self._names for entry in entries)
        except (OSError, ValueError):
            # A NUL, which no name can hold, is a ValueError.
            return 0

    def _write_path(self, path: Path) -> None:
        """Write the path; where it takes two lines the name stands whole on the second."""
        line = self.query_one("#path", Static)
        name = clean(path.name)
        folder = clean(str(path)).removesuffix(name)
        is_too_long = 0 < line.size.width < width_cells(folder + name)
        line.update(Text(f"{folder}\n{name}" if is_too_long else folder + name, overflow="fold"))

    def on_resize(self) -> None:
        """Write the path for the new width."""
        self._show_path()

    @on(Input.Submitted, "#folder")
    def _save_typed_folder(self, event: Input.Submitted) -> None:
        event.stop()
        self._save()

    @on(Button.Pressed, "#save")
    def _save_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self._save()

    @on(Button.Pressed, "#cancel")
    def _cancel(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(None)

    def _save(self) -> None:
        folder = self._folder
        if not paths.is_folder(folder):
            self.set_focus(self.query_one("#folder"))
            return
        replace = self.query_one("#replace", Tick)
        self.dismiss(DownloadChoice(folder, replace.display and replace.is_ticked))
