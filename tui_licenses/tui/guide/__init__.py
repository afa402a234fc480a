"""The built-in activation guide: texts in the package, so that it works without a network.

The texts are read by `help`. They use three marks only: `# ` for a heading, `- ` and `1. ` for
lists; everything else is shown as it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from tui_licenses.domain.status import KeyStatus
from tui_licenses.service.outcomes import SavedFile
from tui_licenses.text import clean

HEADING_MARK = "# "


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter of the guide: `topic` is its stable name, `lines` are without the title."""

    topic: str
    title: str
    lines: tuple[str, ...]


# The order of the chapters; each is the file `<topic>.md` beside this module.
TOPICS = ("automated", "manual", "add-on", "files")


def chapter(topic: str) -> Chapter:
    """Return one chapter of the guide; `topic` is one of `TOPICS`."""
    text = resources.files(__name__).joinpath(f"{topic}.md").read_text(encoding="utf-8")
    title, *lines = text.rstrip().splitlines()
    return Chapter(topic, title.removeprefix(HEADING_MARK), tuple(lines))


def chapters() -> tuple[Chapter, ...]:
    """Return the whole guide in reading order."""
    return tuple(chapter(topic) for topic in TOPICS)


STATUS_MEANINGS: dict[KeyStatus, str] = {
    KeyStatus.ACTIVE: "licensed now",
    KeyStatus.EXPIRING: "ends soon: within 30 days, or as set",
    KeyStatus.EXPIRED: "past its end; it stays in the license file until it is terminated",
    KeyStatus.PENDING: "starts later",
    KeyStatus.SUSPENDED: "paused by the vendor, or its master key is",
    KeyStatus.SUPERSEDED: "replaced by a new master key",
    KeyStatus.REVOKED: "withdrawn for good",
    KeyStatus.UNASSIGNED: "not activated on an instance yet",
}


def steps_after_download(file: SavedFile) -> tuple[str, ...]:
    """Return the lines that tell where a license file is and what is left to do by hand."""
    name = clean(file.path.name)
    what = "" if file.contents is None else f" {clean(file.contents)}"
    return (
        f"Saved{'' if file.is_new else ' (the same bytes were there)'}: {clean(str(file.path))}",
        f"SHA-256: {file.sha256}",
        f"The file{what or ' is complete'}. What remains, by hand:",
        f"1. Carry {name} to the server.",
        f"2. Compare the checksum there: sha256sum {name}",
        "3. Load it in the license activation of the server; it replaces the old license.",
    )
