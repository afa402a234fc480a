"""Homes to save in, and a look at what a disturbed save left there."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from functools import partial
from itertools import count
from pathlib import Path

from tests.trust.faulty_calls import run_child
from tests.trust.harness import Broken, Run
from tests.trust.writers import Writer, use_home

_LEFTOVER = re.compile(r"\..+\.[0-9a-f]{16}\.part")
_TWO_HOURS = 2 * 60 * 60


class SavingLab:
    """Knows the old and the new bytes of each writer, and reports what is neither."""

    def __init__(self, run: Run, wanted: Sequence[Writer]) -> None:
        self._run = run
        self._numbers = count()
        self._bytes: dict[tuple[str, int], bytes] = {}
        for writer in wanted:
            for version in (1, 2):
                # Also imports what is imported late: a child must not begin with that.
                home = self.home(writer, has_old=False)
                writer.write(home, version)
                self._bytes[writer.name, version] = writer.file(home).read_bytes()

    def home(self, writer: Writer, *, has_old: bool) -> Path:
        """Return a new home, in use from now on, with version 1 in it or without."""
        home = self._run.folder / f"home-{next(self._numbers)}"
        home.mkdir(mode=0o700)
        use_home(home)
        if has_old:
            # In a process of its own: each sweeps a folder once.
            run_child(partial(writer.write, home, 1))
        return home

    def new(self, writer: Writer) -> bytes:
        """Return the bytes of version 2."""
        return self._bytes[writer.name, 2]

    def look(
        self, case: str, writer: Writer, home: Path, *, has_old: bool, is_acknowledged: bool
    ) -> None:
        """Report a file that is neither the old nor the new one, or not the acknowledged one."""
        file = writer.file(home)
        old, new = (self._bytes[writer.name, version] for version in (1, 2))
        found = file.read_bytes() if file.exists() else None
        if is_acknowledged and found != new:
            self._run.report(Broken.LOST, f"{case}: acknowledged, and not there")
        elif found not in (new, old if has_old else None):
            kind = Broken.LOST if found is None else Broken.CORRUPT
            self._run.report(kind, f"{case}: neither the old nor the new file")
        backup = file.with_name(f"{file.name}.bak")
        if backup.exists() and backup.read_bytes() != old:
            self._run.report(Broken.CORRUPT, f"{case}: the .bak is not the old file")
        # The old file is a version that may be needed: it is the file itself, or beside it.
        if has_old and writer.keeps_old and found == new and not backup.exists():
            self._run.report(Broken.LOST, f"{case}: replaced, and not kept")

    def leftovers(self, home: Path) -> list[Path]:
        """Return the temporary files below a home."""
        return [path for path in home.rglob(".*") if _LEFTOVER.fullmatch(path.name)]

    def age(self, files: Sequence[Path]) -> None:
        """Let files look as if nobody had written them for two hours."""
        before = time.time() - _TWO_HOURS
        for file in files:
            os.utime(file, (before, before))
