"""S9: the audit trail is flipped bit by bit, cut, reordered and forged; `cloud check` tells."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy.exc import DatabaseError

from tests.cloud.lab import Database
from tests.cloud.older_schemas import BACK_TO_0002
from tests.trust.audit_ledgers import (
    ANCHORS,
    COLUMNS,
    QUOTED,
    FileLedger,
    Ledger,
    RefusedError,
    ledgers,
)
from tests.trust.harness import Broken, Run, TrustClass
from tui_licenses.cloud.administration import check
from tui_licenses.cloud.audit_chain import link
from tui_licenses.cloud.database import find_database
from tui_licenses.cloud.store import Engines
from tui_licenses.errors import FileError

# An integer is flipped in any of the bits SQLite keeps but the sign.
_INTEGER_BITS = 62
_FLIPS, _SERVER_FLIPS, _FILE_FLIPS, _ROW_CHANGES, _STRIPPED = 2_000, 400, 400, 100, 20
# A flipped byte of text may be no text any more: then the database says so first.
_TOLD = frozenset({"audit-wrong", "audit-stripped", "database-damaged"})

# Says whether a database whose audit trail was changed is found out.
Checker = Callable[[Database], bool]


def _flipped(run: Run, value: object) -> object:
    if isinstance(value, int):
        return value ^ (1 << run.random.randrange(_INTEGER_BITS))
    assert isinstance(value, bytes)
    changed = bytearray(value)
    changed[run.random.randrange(len(changed))] ^= 1 << run.random.randrange(8)
    return bytes(changed)


def _flip_values(run: Run, ledger: Ledger, finds: Checker) -> None:
    """Flip one bit of one value: of any column of any event, or of an anchor."""
    places = [
        (table, name, row, row[index])
        for table, rows, names, first in zip(
            ("event", "account"), ledger.rows(), (COLUMNS, ANCHORS), (0, 1), strict=True
        )
        for row in rows
        for index, name in enumerate(names, first)
        if row[index] not in {None, b""}
    ]
    wanted = run.disturbed + (
        run.count(_FLIPS, 40) if _is_file(ledger) else run.count(_SERVER_FLIPS, 8)
    )
    while run.disturbed < wanted:
        table, name, row, value = run.random.choice(places)
        changed = _flipped(run, value)
        where = "account_id = ? AND sequence = ?" if table == "event" else "id = ?"
        key = (row[0].decode(), row[1]) if table == "event" else (row[0].decode(),)
        new = "CAST(? AS TEXT)" if isinstance(changed, bytes) else "?"
        try:
            ledger.change([(f'UPDATE {table} SET "{name}" = {new} WHERE {where}', (changed, *key))])
        except RefusedError:
            # Another event has that number, or it is no text of a server any more.
            continue
        run.disturb()
        what = f"{ledger.kind}: {table} {key}: {name} {value!r} -> {changed!r}"
        run.expect(finds(ledger.database), Broken.CORRUPT, what)


def _flip_file(run: Run, ledger: FileLedger, finds: Checker) -> None:
    """Flip one bit of the file, in or near the record of an event."""
    sound = ledger.template.read_bytes()
    links = [row[-1] for row in ledger.rows()[0]]
    for _ in range(run.count(_FILE_FLIPS, 10)):
        place = sound.index(run.random.choice(links)) + run.random.randint(-200, 63)
        bit = run.random.randrange(8)
        content = bytearray(sound)
        content[place] ^= 1 << bit
        ledger.change([])
        ledger.database.write_bytes(content)
        try:
            is_changed = ledger.read(ledger.database) != ledger.rows()
        except sqlite3.DatabaseError:
            is_changed = True
        if is_changed:
            run.disturb()
            run.expect(finds(ledger.database), Broken.CORRUPT, f"bit {bit} of byte {place}")


def _row_changes(run: Run, ledger: Ledger) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Yield what somebody does who can write the database, all anchors but the seal included."""
    events = ledger.rows()[0]
    by_account: dict[str, list[tuple[Any, ...]]] = {}
    for row in events:
        by_account.setdefault(row[0].decode(), []).append(row)
    for _ in range(run.count(_ROW_CHANGES // 4, 2)):
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
                    f"INSERT INTO event ({QUOTED}) VALUES ({', '.join('?' * len(COLUMNS))})",
                    (*forged, head),
                ),
                (anchor, (len(rows) + 1, head, account)),
            ],
        )


def _text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value


def _change_rows(run: Run, ledger: Ledger, finds: Checker) -> None:
    for what, statements in _row_changes(run, ledger):
        ledger.change(statements)
        run.disturb()
        run.expect(finds(ledger.database), Broken.CORRUPT, f"{ledger.kind}: {what}")


def _strip_chain(run: Run, ledger: FileLedger, finds: Checker) -> None:
    """Forge an event of a database made to look like one from before there was a chain."""
    for _ in range(run.count(_STRIPPED, 2)):
        account, number = (run.random.choice(ledger.rows()[0]))[:2]
        forged = "UPDATE event SET actor = 'nobody' WHERE account_id = ? AND sequence = ?"
        ledger.change(
            [*((statement, ()) for statement in BACK_TO_0002), (forged, (account.decode(), number))]
        )
        run.disturb()
        what = f"event {number} of {account.decode()} forged, the chain taken away"
        run.expect(finds(ledger.database), Broken.FORGED, what)


def _is_file(ledger: Ledger) -> bool:
    return isinstance(ledger, FileLedger)


def _all(run: Run, finds: Checker) -> None:
    for ledger in ledgers(run.folder):
        ledger.change([])
        run.expect(not finds(ledger.database), Broken.OTHER, "a sound trail has findings")
        _flip_values(run, ledger, finds)
        if isinstance(ledger, FileLedger):
            _flip_file(run, ledger, finds)
            _strip_chain(run, ledger, finds)
        _change_rows(run, ledger, finds)


def _is_told(database: Database) -> bool:
    try:
        return not _TOLD.isdisjoint(finding.code for finding in check(database))
    except FileError as error:
        return error.code in _TOLD


def _is_counted_wrong(database: Database) -> bool:
    """Check a trail as one without a chain can be: numbered without gaps, and counted."""
    engines = Engines.of(find_database(database))
    try:
        with engines.reading.connect() as connection:
            wrong = connection.exec_driver_sql(
                "SELECT count(*) FROM account WHERE event_count <> (SELECT count(*) FROM event"
                " WHERE account_id = account.id) OR event_count <> (SELECT max(sequence) FROM event"
                " WHERE account_id = account.id)"
            ).scalar()
        return bool(wrong != 0)
    except DatabaseError:
        return True
    finally:
        engines.dispose()


CLASS = TrustClass(
    "S9",
    "the audit trail flipped, cut, reordered and forged",
    _FLIPS + _ROW_CHANGES,
    lambda run: _all(run, _is_told),
    lambda run: _all(run, _is_counted_wrong),
)
