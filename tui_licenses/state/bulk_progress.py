"""How far a bulk download is: counts, and a bar made of plain characters."""

from __future__ import annotations

from tui_licenses.service.outcomes import DownloadOutcome

_BAR_CELLS = 20


class BulkProgress:
    """Counts the outcomes of a bulk download as they come."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.saved = 0
        self.already_there = 0
        self.failed = 0

    def count(self, outcome: DownloadOutcome) -> None:
        """Count one more outcome."""
        if outcome.file is None:
            self.failed += 1
        elif outcome.file.is_new:
            self.saved += 1
        else:
            self.already_there += 1

    @property
    def done(self) -> int:
        """Return how many outcomes there are."""
        return self.saved + self.already_there + self.failed

    @property
    def is_done(self) -> bool:
        """Say whether every item has its outcome."""
        return self.done == self.total

    @property
    def bar(self) -> str:
        """Return the bar with its counts, in ASCII: every terminal and log can show it."""
        share = self.done / self.total if self.total else 1.0
        bar = "#" * int(share * _BAR_CELLS)
        return f"[{bar:-<{_BAR_CELLS}}] {share:4.0%}  {self.done:,} of {self.total:,}"

    @property
    def counts(self) -> str:
        """Return what became of those that are done, as a phrase."""
        return f"{self.saved:,} saved, {self.already_there:,} already there, {self.failed:,} failed"
