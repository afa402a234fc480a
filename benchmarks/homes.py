"""A home folder of its own for every program that is measured."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV")
CONTEXT_NAME = "benchmark"


def our_command(*arguments: str) -> tuple[str, ...]:
    """Return the command that starts our program as a user would."""
    script = Path(sys.executable).with_name("tui-licenses")
    program = (str(script),) if script.exists() else (sys.executable, "-m", "tui_licenses")
    return (*program, *arguments)


@dataclass(frozen=True, slots=True)
class Home:
    """A folder that stands for the home of a user who has nothing else."""

    folder: Path
    subject_id: str | None = None
    refresh_token: str | None = None

    @property
    def cloud_folder(self) -> Path:
        """Return the folder of the embedded cloud."""
        return self.folder / ".local/share/tui-licenses/cloud"

    @property
    def database(self) -> Path:
        """Return the database of the embedded cloud."""
        return self.cloud_folder / "cloud.sqlite3"

    def environment(self) -> dict[str, str]:
        """Return the environment of a program in this home, on a terminal of 256 colours."""
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment.setdefault("LANG", "C.UTF-8")
        environment |= {
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / ".config"),
            "XDG_DATA_HOME": str(self.folder / ".local/share"),
            "XDG_STATE_HOME": str(self.folder / ".local/state"),
            "XDG_CACHE_HOME": str(self.folder / ".cache"),
            "XDG_RUNTIME_DIR": str(self.folder / ".run"),
            "TERM": "xterm-256color",
        }
        if self.subject_id is not None and self.refresh_token is not None:
            environment["TUI_LICENSES_SUBJECT_ID"] = self.subject_id
            environment["TUI_LICENSES_REFRESH_TOKEN"] = self.refresh_token
        return environment

    def use_context(self, url: str | None, *, has_refresh: bool = True) -> None:
        """Make one context the current one, with all keys shown: every key is a row.

        Without `has_refresh` the cloud is asked again by key only.
        """
        name = "embedded" if url is None else CONTEXT_NAME
        lines: Sequence[str] = (
            f'current = "{name}"',
            f"[contexts.{name}]",
            *(() if url is None else (f'url = "{url}"',)),
            "show_add_ons = true",
            *(() if has_refresh else ("[settings]", "refresh_seconds = 0")),
        )
        file = self.folder / ".config/tui-licenses/config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
