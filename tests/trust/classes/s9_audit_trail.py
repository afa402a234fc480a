"""S9: the audit trail is flipped bit by bit, cut, reordered and forged; `cloud check` tells."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.trust.harness import Broken, Run, TrustClass
from tui_licenses.cloud.administration import check, seed
from tui_licenses.cloud.audit_chain import LINKED, link
from tui_licenses.errors import FileError

_UNGUARD = ("DROP TRIGGER event_is_never_changed", "DROP TRIGGER event_is_never_removed")
_COLUMNS = (*LINKED, "link")
# Some of the names are words of SQL.
_QUOTED = ", ".join(f'"{name}"' for name in _COLUMNS)
_ANCHORS = ("event_count", "event_head", "event_seal")
# An integer is flipped in any of the bits SQLite keeps but the sign.
_INTEGER_BITS = 62
_FLIPS, _FILE_FLIPS, _ROW_CHANGES = 2_000, 400, 100
# A flipped byte of text may be no text any more: then the database says so first.
_TOLD = frozenset({"audit-wrong", "database-damaged"})

# Says whether a database whose audit trail was changed is found out.
Checker = Callable[[Path], bool]


@dataclass
class _Ledger:
    """A sound database, a copy of it to be changed, and what the sound one holds."""

    template: Path
    copy: Path

    def fresh(self) -> sqlite3.Connection:
        """Put the sound database back, without its guards, and open it."""
        for end in ("-wal", "-shm"):
            Path(f"{self.copy}{end}").unlink(missing_ok=True)
        shutil.copyfile(self.template, self.copy)
        return sqlite3.connect(self.copy)

    def rows(self, database: Path) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """Return what a database says of events and of their anchors."""
        connection = sqlite3.connect(database)
        try:
            connection.text_factory = bytes
            events = f"SELECT {_QUOTED} FROM event ORDER BY 1, 2"
            anchors = f"SELECT id, {', '.join(_ANCHORS)} FROM account ORDER BY 1"
            return connection.execute(events).fetchall(), connection.execute(anchors).fetchall()
        finally:
            connection.close()


def _make(run: Run) -> _Ledger:
    for name in ("template", "copy"):
        (run.folder / name).mkdir()
    template, copy = run.folder / "template" / "cloud.db", run.folder / "copy" / "cloud.db"
    seed(template, instances=8, keys=40, random_seed=9, now=datetime(2026, 6, 1, tzinfo=UTC))
    for file in template.parent.glob("*.key"):
        shutil.copy2(file, copy.parent)
    connection = sqlite3.connect(template)
    for statement in _UNGUARD:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return _Ledger(template, copy)


def _flipped(run: Run, value: object) -> object:
    if isinstance(value, int):
        return value ^ (1 << run.random.randrange(_INTEGER_BITS))
    assert isinstance(value, bytes)
    changed = bytearray(value)
    changed[run.random.randrange(len(changed))] ^= 1 << run.random.randrange(8)
    return bytes(changed)


def _flip_values(run: Run, ledger: _Ledger, finds: Checker) -> None:
    """Flip one bit of one value: of any column of any event, or of an anchor."""
    events, anchors = ledger.rows(ledger.template)
    places = [
        ("event", name, row, row[index])
        for row in events
        for index, name in enumerate(_COLUMNS)
        if row[index] not in {None, b""}
    ]
    places += [
        ("account", name, row, row[index])
        for row in anchors
        for index, name in enumerate(_ANCHORS, 1)
        if row[index] not in {None, b""}
    ]
    wanted = run.disturbed + run.count(_FLIPS, 60)
    while run.disturbed < wanted:
        table, name, row, value = run.random.choice(places)
        changed = _flipped(run, value)
        where = "account_id = ? AND sequence = ?" if table == "event" else "id = ?"
        key = (row[0].decode(), row[1]) if table == "event" else (row[0].decode(),)
        new = "CAST(? AS TEXT)" if isinstance(changed, bytes) else "?"
        connection = ledger.fresh()
        try:
            connection.execute(
                f'UPDATE {table} SET "{name}" = {new} WHERE {where}', (changed, *key)
            )
            connection.commit()
        except sqlite3.IntegrityError:
            # Another event has that number: the database itself refused.
            continue
        finally:
            connection.close()
        run.disturb()
        run.expect(
            finds(ledger.copy), Broken.CORRUPT, f"{table} {key}: {name} {value!r} -> {changed!r}"
        )


def _flip_file(run: Run, ledger: _Ledger, finds: Checker) -> None:
    """Flip one bit of the file, in or near the record of an event."""
    sound = ledger.template.read_bytes()
    rows = ledger.rows(ledger.template)
    links = [row[-1] for row in rows[0]]
    for _ in range(run.count(_FILE_FLIPS, 20)):
        place = sound.index(run.random.choice(links)) + run.random.randint(-200, 63)
        bit = run.random.randrange(8)
        content = bytearray(sound)
        content[place] ^= 1 << bit
        ledger.fresh().close()
        ledger.copy.write_bytes(content)
        try:
            is_changed = ledger.rows(ledger.copy) != rows
        except sqlite3.DatabaseError:
            is_changed = True
        if is_changed:
            run.disturb()
            run.expect(finds(ledger.copy), Broken.CORRUPT, f"bit {bit} of byte {place}")


def _row_changes(run: Run, ledger: _Ledger) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Yield what somebody does who can write the database, all anchors but the seal included."""
    events = ledger.rows(ledger.template)[0]
    by_account: dict[str, list[tuple[Any, ...]]] = {}
    for row in events:
        by_account.setdefault(row[0].decode(), []).append(row)
    for _ in range(run.count(_ROW_CHANGES // 4, 3)):
        account = run.random.choice([name for name, rows in by_account.items() if len(rows) > 2])
        rows = by_account[account]
        one, other = sorted(run.random.sample(range(1, len(rows) + 1), 2))
        delete = "DELETE FROM event WHERE account_id = ? AND sequence"
        renumber = "UPDATE event SET sequence = ? WHERE account_id = ? AND sequence = ?"
        anchor = "UPDATE account SET event_count = ?, event_head = ? WHERE id = ?"
        yield f"{account}: {one} removed", [(f"{delete} = ?", (account, one))]
        yield (
            f"{account}: {one} and {other} exchanged",
            [
                (renumber, (0, account, one)),
                (renumber, (one, account, other)),
                (renumber, (other, account, 0)),
            ],
        )
        yield (
            f"{account}: cut after {one}, count and head written anew",
            [
                (f"{delete} > ?", (account, one)),
                (anchor, (one, rows[one - 1][-1].decode(), account)),
            ],
        )
        forged = [account, len(rows) + 1, *map(_text, rows[one - 1][2:-1])]
        head = link(rows[-1][-1].decode(), forged)
        yield (
            f"{account}: an event put in at the end, count and head written anew",
            [
                (
                    f"INSERT INTO event ({_QUOTED}) VALUES ({', '.join('?' * len(_COLUMNS))})",
                    (*forged, head),
                ),
                (anchor, (len(rows) + 1, head, account)),
            ],
        )


def _text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value


def _change_rows(run: Run, ledger: _Ledger, finds: Checker) -> None:
    for what, statements in _row_changes(run, ledger):
        connection = ledger.fresh()
        for statement, values in statements:
            connection.execute(statement, values)
        connection.commit()
        connection.close()
        run.disturb()
        run.expect(finds(ledger.copy), Broken.CORRUPT, what)


def _all(run: Run, finds: Checker) -> None:
    ledger = _make(run)
    ledger.fresh().close()
    run.expect(not finds(ledger.copy), Broken.OTHER, "a sound trail has findings")
    _flip_values(run, ledger, finds)
    _flip_file(run, ledger, finds)
    _change_rows(run, ledger, finds)


def _is_told(database: Path) -> bool:
    try:
        return not _TOLD.isdisjoint(finding.code for finding in check(database))
    except FileError as error:
        return error.code in _TOLD


def _is_counted_wrong(database: Path) -> bool:
    """Check a trail as one without a chain can be: numbered without gaps, and counted."""
    connection = sqlite3.connect(database)
    try:
        wrong = connection.execute(
            "SELECT count(*) FROM account WHERE event_count <> (SELECT count(*) FROM event"
            " WHERE account_id = account.id) OR event_count <> (SELECT max(sequence) FROM event"
            " WHERE account_id = account.id)"
        ).fetchone()
        return bool(wrong != (0,))
    except sqlite3.DatabaseError:
        return True
    finally:
        connection.close()


CLASS = TrustClass(
    "S9",
    "the audit trail flipped, cut, reordered and forged",
    _FLIPS + _ROW_CHANGES,
    lambda run: _all(run, _is_told),
    lambda run: _all(run, _is_counted_wrong),
)
