"""What a database does for the statements of a request: recorded, explained, judged.

SQLite plans by the statistics in `sqlite_stat1`, never by the rows themselves: with those of a
million keys planted, a small database is planned as if it were the large one.
"""

# ruff: noqa: ANN401 - parameters have the driver's own types
from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

# Tables that do not grow with the keys: a few rows however many keys there are.
SMALL_TABLES = frozenset({"account", "cloud_setting", "product", "product_word", "alembic_version"})
# Parts of our own statements, bounded: one page, or the matches a selective condition found.
BOUNDED_PARTS = frozenset({"page", "matches"})

# ANALYZE of an estate of 1,000,000 keys on 50,000 instances.
MILLION = {
    ("access_token", "ix_access_token_expires_at"): "20000 2",
    ("access_token", "ix_access_token_subject_id"): "20000 20",
    ("access_token", "sqlite_autoindex_access_token_1"): "20000 1",
    ("account", "sqlite_autoindex_account_1"): "4 1",
    ("activation", "sqlite_autoindex_activation_1"): "45010 1",
    ("event", "event_by_target"): "45010 11253 1 1",
    ("event", "sqlite_autoindex_event_1"): "45010 11253 1",
    ("idempotency", "ix_idempotency_created_at"): "50000 2",
    ("idempotency", "sqlite_autoindex_idempotency_1"): "50000 12500 1",
    ("instance", "instance_by_name"): "50022 12506 1 1",
    ("instance", "instance_by_sequence"): "50022 12506 1",
    ("instance", "instance_by_state"): "50022 12506 3127 1 1",
    ("instance", "instance_by_update"): "50022 12506 1 1",
    ("instance", "sqlite_autoindex_instance_1"): "50022 1",
    ("instance_word", "ix_instance_word_instance_id"): "186136 4",
    ("instance_word", "sqlite_autoindex_instance_word_1"): "186136 46534 123 1",
    ("key_tally", "sqlite_autoindex_key_tally_1"): "2016 504 101 9 1",
    ("license_file", "sqlite_autoindex_license_file_1"): "45000 1",
    ("license_key", "license_key_by_expiry"): "1000091 250023 819 1",
    ("license_key", "license_key_by_instance"): "1000091 23 23 3",
    ("license_key", "license_key_by_kind"): "1000091 250023 125012 1",
    ("license_key", "license_key_by_last_four"): "1000091 250023 2",
    ("license_key", "license_key_by_position"): "1000091 250023 1",
    ("license_key", "license_key_by_sequence"): "1000091 250023 1",
    ("license_key", "license_key_by_shown_state"): "1000091 250023 50005 799 1",
    ("license_key", "license_key_by_start"): "8 2 2",
    ("license_key", "license_key_by_update"): "1000091 250023 2 1",
    ("license_key", "license_key_current_master"): "45010 1",
    ("license_key", "sqlite_autoindex_license_key_1"): "1000091 1",
    ("license_key", "sqlite_autoindex_license_key_2"): "1000091 1",
    ("product", "sqlite_autoindex_product_1"): "11 1",
    ("product_word", "sqlite_autoindex_product_word_1"): "31 2 1",
    ("profile", "sqlite_autoindex_profile_1"): "47518 1 1",
    ("subject", "sqlite_autoindex_subject_1"): "20000 1",
    ("subject", "subject_by_account"): "20000 5000 1 1",
}

_SCAN = re.compile(r"SCAN (\S+)")
_SORT = re.compile(r"USE TEMP B-TREE FOR (?!DISTINCT|GROUP BY)")
# Ranges of an index that hold all rows of an account, or of one kind or state in it.
_WHOLE_ACCOUNT = re.compile(r"SEARCH \S+ USING .*\(account_id=\?\)$")
_WHOLE_STATE = re.compile(
    r"SEARCH license_key USING .*"
    r"\(account_id=\? AND (?:kind=\?|shown_state=\?(?: AND expiry_order>\?)?)\)$"
)
# What is sorted or grouped must be few: a page, the matches, the keys of instances, single rows.
_FEW_ROWS = re.compile(
    rf"SCAN (?:{'|'.join(sorted(SMALL_TABLES | BOUNDED_PARTS))})$"
    r"|USING (?:COVERING )?INDEX license_key_by_instance \(instance_id=\?|\(id=\?\)$"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan; `finds` where it belongs to the search for all matches of a filter."""

    text: str
    finds: bool


@dataclass(slots=True)
class Recording:
    """The statements sent to any database meanwhile, each with the request it was sent for."""

    request: str = ""
    statements: dict[str, tuple[str, Any]] = field(default_factory=dict)

    def note(self, statement: str, parameters: Any) -> None:
        """Keep a statement that reads or writes rows; the first parameters of many."""
        if statement.split(None, 1)[0] in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}:
            first = parameters[0] if isinstance(parameters, list) else parameters
            self.statements.setdefault(statement, (self.request, first))


@contextmanager
def recording() -> Iterator[Recording]:
    """Record what every engine of this process sends."""
    recorded = Recording()

    def note(*arguments: Any) -> None:
        _, _, statement, parameters, _, _ = arguments
        recorded.note(statement, parameters)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield recorded
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def plant_statistics(database: Path, statistics: dict[tuple[str, str], str]) -> None:
    """Make a database plan as one with these statistics; with none, as one never analysed."""
    connection = sqlite3.connect(database)
    connection.execute("ANALYZE sqlite_schema")
    connection.execute("DELETE FROM sqlite_stat1")
    rows = [(table, index, numbers) for (table, index), numbers in statistics.items()]
    connection.executemany("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()


def explain(connection: sqlite3.Connection, statement: str, parameters: Any) -> list[Step]:
    """Return the steps of the plan of a statement."""
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    finding: set[int] = set()
    steps = []
    for number, parent, _, text in rows:
        if parent in finding or text == "MATERIALIZE matches":
            finding.add(number)
        steps.append(Step(str(text), number in finding))
    return steps


def faults(statement: str, plan: list[Step], asked_for: str | None) -> list[str]:
    """Return the steps of a plan that cost more than the request asks for.

    `asked_for` begins the step of a request that wants all rows and has no pages.
    """
    judged = [step for step in plan if not (asked_for and step.text.startswith(asked_for))]
    few = len(judged) < len(plan) or any(_FEW_ROWS.search(step.text) for step in plan)
    return [
        step.text
        for step in judged
        if _is_scan(step)
        or (_SORT.match(step.text) and not few)
        or _is_unbounded(step, "LIMIT" in statement)
    ]


def _is_scan(step: Step) -> bool:
    """Say whether a whole table is read, or an index by steps over its first columns."""
    scanned = _SCAN.match(step.text)
    allowed = SMALL_TABLES | BOUNDED_PARTS | {"CONSTANT"}
    return "(ANY(" in step.text or (scanned is not None and scanned[1] not in allowed)


def _is_unbounded(step: Step, is_limited: bool) -> bool:
    """Say whether a search reads a whole account: no page ends it, or it looks for all matches."""
    if step.finds:
        return _WHOLE_ACCOUNT.match(step.text) is not None
    if is_limited:
        return False
    return bool(_WHOLE_ACCOUNT.match(step.text) or _WHOLE_STATE.match(step.text))
