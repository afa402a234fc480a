"""An embedded cloud whose every name and text is hostile, and commands that are run on it."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from tests.trust.harness import Broken, Run
from tests.trust.hostile_text import HOSTILE_TEXTS, mark_of
from tests.trust.terminal_stream import COMMAND_LINE, foreign_control
from tui_licenses import paths
from tui_licenses.__main__ import run as run_program
from tui_licenses.cloud.embedded import ensure_embedded
from tui_licenses.config import Configuration, Settings, save_configuration

STORABLE = tuple(entry.text for entry in HOSTILE_TEXTS if entry.is_storable)
MARKS = {entry.text: mark_of(number) for number, entry in enumerate(HOSTILE_TEXTS)}

_UNEXPECTED = b"Something unexpected"


class _Stream(io.TextIOWrapper):
    """A stream that says of itself whether it is a terminal."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="")
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def written(self) -> bytes:
        """Return all that was written."""
        self.flush()
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue()


@dataclass(frozen=True)
class Ended:
    """What a command wrote, and its exit status."""

    status: int
    output: bytes
    notes: bytes


def run_command(
    arguments: Sequence[str],
    *,
    is_terminal: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Run a command in this process, as the program itself does."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    output, notes = (_Stream(is_terminal=is_terminal) for _ in range(2))
    before = dict(os.environ)
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(""), output, notes
    os.environ.update(environment or {})
    try:
        status = run_program(arguments)
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        os.environ.clear()
        os.environ.update(before)
    return Ended(status, output.written(), notes.written())


def look(run: Run, ended: Ended, what: str) -> None:
    """Report what is raw, or was no answer."""
    for stream in (ended.output, ended.notes):
        for found in foreign_control(stream, COMMAND_LINE):
            run.report(Broken.RAW, f"{what}: {found}")
    if _UNEXPECTED in ended.output + ended.notes:
        run.report(Broken.UNHANDLED, f"{what}: {ended.notes[:300]!r}")


class HostileLab:
    """The embedded cloud of this home; `plant` writes texts into its database."""

    def __init__(self) -> None:
        save_configuration(Configuration(replace(Settings(), local_copy=False)))
        self.database = paths.embedded_database_file()
        ensure_embedded(self.database)
        with self._opened() as connection:
            (self._account,) = connection.execute(
                "SELECT account_id FROM instance GROUP BY account_id ORDER BY count(*) DESC"
            ).fetchone()
            self.instances = self._ids(connection, "instance")
            self.keys = self._ids(connection, "license_key")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.database)
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    def _ids(self, connection: sqlite3.Connection, table: str) -> list[str]:
        rows = connection.execute(
            f"SELECT id FROM {table} WHERE account_id = ? ORDER BY id",
            (self._account,),
        )
        return [row[0] for row in rows]

    def plant(self, offset: int) -> None:
        """Give every row the next texts, beginning with the one of this number."""
        with self._opened() as connection:
            # The rules of a cloud keep such texts out, and its guard keeps events as they are.
            connection.execute("DROP TRIGGER IF EXISTS event_is_never_changed")
            for number, instance_id in enumerate(self.instances):
                texts = _texts(offset + number, 4)
                connection.execute(
                    "UPDATE instance SET name = ?, location_label = ?, core_version = ?,"
                    " hostname = ? WHERE id = ?",
                    (*texts, instance_id),
                )
            for number, key_id in enumerate(self.keys):
                feature, order = _texts(offset + number, 2)
                features = json.dumps([{"code": "f", "name": feature, "quantity": None}])
                connection.execute(
                    "UPDATE license_key SET features = ?, order_reference = ? WHERE id = ?",
                    (features, order, key_id),
                )
            for number, (code,) in enumerate(
                connection.execute("SELECT code FROM product").fetchall()
            ):
                connection.execute(
                    "UPDATE product SET name = ? WHERE code = ?",
                    (*_texts(offset + number, 1), code),
                )
            account, person, email = _texts(offset, 3)
            connection.execute("UPDATE account SET name = ? WHERE id = ?", (account, self._account))
            connection.execute(
                "UPDATE subject SET display_name = ?, email = ? WHERE account_id = ?",
                (person, email, self._account),
            )
            rows = connection.execute(
                "SELECT sequence FROM event WHERE account_id = ?", (self._account,)
            ).fetchall()
            for number, (sequence,) in enumerate(rows):
                actor, action, target = _texts(offset + number, 3)
                connection.execute(
                    "UPDATE event SET actor = ?, action = ?, target_id = ?, after = ?"
                    " WHERE account_id = ? AND sequence = ?",
                    (actor, action, target, json.dumps({"name": actor}), self._account, sequence),
                )


def _texts(first: int, count: int) -> list[str]:
    return [STORABLE[(first + number) % len(STORABLE)] for number in range(count)]
