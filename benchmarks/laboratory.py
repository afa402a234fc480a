"""What all goals share: data, homes, served clouds, and the programs to compare with."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from benchmarks import programs
from benchmarks.data import Estate, ensure_estate
from benchmarks.homes import Home
from benchmarks.programs import Program
from benchmarks.server import CountingProxy, ServedCloud
from benchmarks.session import Session

Value = TypeVar("Value")

_SYNC_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Options:
    """What whoever runs the benchmarks has chosen."""

    data: Path
    runs: int = 5
    has_peers: bool = True
    has_large: bool = True
    instance_count: int = 4_000
    key_count: int = 100_000
    visidata_path: str | None = None


class Laboratory:
    """Makes things when they are first asked for, and takes them away in the end."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.notes: list[str] = []
        self._kept: dict[str, Any] = {}
        self._stack = ExitStack()
        self._scratch = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-"))
        )
        self._folder_count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def runs(self) -> int:
        """Return how often everything is measured."""
        return self.options.runs

    def once(self, measure: Callable[[Laboratory], Value]) -> Value:
        """Return what a function returns; it is called for the first goal that asks."""
        name = f"{measure.__module__}.{measure.__qualname__}"
        if name not in self._kept:
            self._kept[name] = measure(self)
        return cast(Value, self._kept[name])

    def folder(self, name: str) -> Path:
        """Return a new empty folder that lasts as long as the laboratory."""
        self._folder_count += 1
        folder = self._scratch / f"{name}-{self._folder_count}"
        folder.mkdir()
        return folder

    def note(self, words: str) -> None:
        """Keep a word for below the table, once."""
        if words not in self.notes:
            self.notes.append(words)

    # Data and clouds

    def estate(self, instance_count: int, key_count: int, *, has_files: bool = False) -> Estate:
        """Return a seeded estate of a size, from the cache folder."""
        data = self.options.data
        data.mkdir(parents=True, exist_ok=True)
        return ensure_estate(data, instance_count, key_count, has_files=has_files)

    def main_estate(self) -> Estate:
        """Return the estate that most goals are about."""
        size = (self.options.instance_count, self.options.key_count)
        return self.estate(*size, has_files=self.options.has_peers)

    def serve(self, estate: Estate) -> ServedCloud:
        """Serve a copy of an estate until the end."""
        served = ServedCloud(estate.copy_into(self.folder("cloud")))
        self._stack.callback(served.stop)
        return served

    def proxy(self, served: ServedCloud) -> CountingProxy:
        """Return a way to a served cloud that counts."""
        proxy = CountingProxy(served.url)
        self._stack.callback(proxy.stop)
        return proxy

    # Homes and programs

    def new_home(self, served: ServedCloud | None = None, url: str | None = None) -> Home:
        """Return a home that has never been started from, signed in to a served cloud if any."""
        folder = self.folder("home")
        if served is None:
            return Home(folder)
        home = Home(folder, served.subject_id, served.refresh_token)
        home.use_context(url or served.url)
        return home

    def synchronise(self, home: Home) -> None:
        """Start our program once in a home, until all rows are there, and leave it."""
        with Session(programs.ours(home)) as session:
            self.wait_for_all_rows(session, _SYNC_SECONDS)
            session.wait_until_idle()
            session.leave()

    def wait_for_all_rows(self, session: Session, seconds: float = 120) -> float:
        """Return the milliseconds from the start until the last row is counted."""
        pattern = rf"[0-9,]+ instances, {self.options.key_count:,} keys"
        return session.wait_for(pattern, "all rows counted", seconds)

    def last_key(self) -> str:
        """Return the license key in the last row of our list."""
        return self.once(_last_key)

    def served_main(self) -> ServedCloud:
        """Return the main estate as a served cloud."""
        return self.once(_serve_main)

    def synchronised_home(self) -> Home:
        """Return a home whose copy of the main estate is complete."""
        return self.once(_synchronise_home)

    def ours(self) -> Program:
        """Return our dashboard on its local copy of the main estate."""
        return programs.ours(self.synchronised_home())

    def minimal(self) -> Program:
        """Return the smallest Textual app."""
        return programs.minimal(self.once(_peer_home))

    def less(self) -> Program | None:
        """Return less, where it is installed and peers are asked for."""
        return self._peer("less", programs.less)

    def mutt(self) -> Program | None:
        """Return mutt, where it is installed and peers are asked for."""
        return self._peer("mutt", programs.mutt)

    def visidata(self) -> Program | None:
        """Return VisiData, where it is installed and peers are asked for."""
        path = self.options.visidata_path
        return self._peer("VisiData", lambda estate, home: programs.visidata(estate, home, path))

    def data_table(self) -> Program | None:
        """Return Textual's DataTable, where peers are asked for."""
        return self._peer("DataTable", programs.data_table)

    def peers(self) -> dict[str, Program]:
        """Return every program with the same rows that can be run here."""
        found = (self.data_table(), self.less(), self.visidata(), self.mutt())
        return {program.name: program for program in found if program is not None}

    def _peer(self, name: str, make: Callable[[Estate, Home], Program | None]) -> Program | None:
        if not self.options.has_peers:
            return None
        program = make(self.once(Laboratory.main_estate), self.once(_peer_home))
        if program is None:
            self.note(f"{name} is not installed here; its columns are empty.")
        return program


def _last_key(laboratory: Laboratory) -> str:
    with Session(laboratory.ours()) as session:
        laboratory.wait_for_all_rows(session)
        session.wait_until_idle()
        session.press_and_settle("end")
        session.wait_until_idle()
        keys = list(re.finditer(programs.KEY, session.screen.text()))
        session.leave()
    return keys[-1][0]


def _peer_home(laboratory: Laboratory) -> Home:
    return laboratory.new_home()


def _serve_main(laboratory: Laboratory) -> ServedCloud:
    return laboratory.serve(laboratory.once(Laboratory.main_estate))


def _synchronise_home(laboratory: Laboratory) -> Home:
    home = laboratory.new_home(laboratory.served_main())
    laboratory.synchronise(home)
    return home
