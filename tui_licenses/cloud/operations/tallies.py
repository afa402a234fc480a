"""How many keys are in which shown state, kept by product and week of expiry.

A status depends on the clock and cannot be counted ahead; the state readers see and the date
of expiry do not. So whole weeks are added up from the tallies, and only the keys that expire in
the week of an instant are counted one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from tui_licenses.cloud import tables
from tui_licenses.cloud.conditions import Condition, opaque
from tui_licenses.cloud.instants import MICROSECONDS_PER_SECOND, to_instant
from tui_licenses.cloud.tables import LongInteger
from tui_licenses.domain.license_key import KeyKind, KeyState
from tui_licenses.domain.status import EXPIRING_DAYS_DEFAULT, KeyStatus

WEEK = 7 * 24 * 3600 * MICROSECONDS_PER_SECOND

# States whose keys are shown by their dates; in the others the state is the status.
DATED_STATES = (KeyState.ACTIVE, KeyState.UNASSIGNED)

_KEY, _TALLY = tables.license_key, tables.key_tally
_MASTER = _KEY.alias("master")
_PLACE = ("account_id", "shown_state", "expiry_week", "product_code")
_BLOCKING = (KeyState.SUSPENDED, KeyState.REVOKED)
_SHOWN_STATE = case(
    (
        and_(
            _KEY.c.state == KeyState.ACTIVE,
            _KEY.c.kind == KeyKind.ADD_ON,
            _MASTER.c.state.in_(_BLOCKING),
        ),
        KeyState.SUSPENDED.value,
    ),
    else_=_KEY.c.state,
)


_ADD = (
    update(_TALLY)
    .where(*(_TALLY.c[name] == bindparam(f"same_{name}") for name in _PLACE))
    .values(key_count=_TALLY.c.key_count + bindparam("change"))
)


@cache
def outdated_shown_states() -> Select[Any]:
    """Select the keys whose stored shown state (`before`) is not what it must be (`after`)."""
    instance = tables.instance
    return (
        select(
            _KEY.c.id,
            _KEY.c.account_id,
            _KEY.c.product_code,
            _KEY.c.expiry_order,
            _KEY.c.shown_state.label("before"),
            _SHOWN_STATE.label("after"),
        )
        .outerjoin_from(_KEY, instance, instance.c.id == _KEY.c.instance_id)
        .outerjoin(_MASTER, _MASTER.c.id == instance.c.master_key_id)
        .where(_KEY.c.shown_state != _SHOWN_STATE)
    )


def settle_shown_states(
    connection: Connection, key_ids: Iterable[str], instance_ids: Iterable[str]
) -> None:
    """Bring shown states and tallies in line with changed keys and the keys of instances."""
    changed = {"key_ids": list(key_ids), "instance_ids": list(instance_ids)}
    given = {name: ids for name, ids in changed.items() if ids}
    for row in connection.execute(_outdated_among(*given), given).all():
        connection.execute(update(_KEY).where(_KEY.c.id == row.id).values(shown_state=row.after))
        for state, change in ((row.before, -1), (row.after, 1)):
            add_to_tally(
                connection, row.account_id, state, row.expiry_order, row.product_code, change
            )


@cache
def _outdated_among(*names: str) -> Select[Any]:
    """Select among the keys that are given, or that are on the given instances."""
    columns = {"key_ids": _KEY.c.id, "instance_ids": _KEY.c.instance_id}
    given = [columns[name].in_(bindparam(name, expanding=True)) for name in names]
    return outdated_shown_states().where(or_(*given))


def fill_tallies(connection: Connection) -> None:
    """Set the shown states of all keys and count them: after rows were written in bulk."""
    instance = tables.instance
    blocked = (
        select(instance.c.id)
        .join(_MASTER, _MASTER.c.id == instance.c.master_key_id)
        .where(_MASTER.c.state.in_(_BLOCKING))
    )
    connection.execute(
        update(_KEY)
        .where(
            _KEY.c.instance_id.in_(blocked),
            _KEY.c.state == KeyState.ACTIVE,
            _KEY.c.kind == KeyKind.ADD_ON,
        )
        .values(shown_state=KeyState.SUSPENDED)
    )
    connection.execute(delete(_TALLY))
    connection.execute(insert(_TALLY).from_select([*_PLACE, "key_count"], count_by_place()))


def count_by_place() -> Select[Any]:
    """Select what the tallies must be, counted from the keys."""
    # Spelled out: two parameters of one value are not the same expression to every database.
    week = _KEY.c.expiry_order // literal_column(str(WEEK), LongInteger)
    place = [
        _KEY.c.account_id,
        _KEY.c.shown_state,
        week,
        _KEY.c.product_code,
    ]
    return select(*place, func.count()).group_by(*place)


def add_to_tally(
    connection: Connection,
    account_id: str,
    shown_state: str,
    expiry_order: int,
    product_code: str,
    change: int,
) -> None:
    """Count keys of one kind in, or out."""
    place = (account_id, shown_state, expiry_order // WEEK, product_code)
    same = dict(zip(_PLACE, place, strict=True))
    sent = {"change": change, **{f"same_{name}": value for name, value in same.items()}}
    if not connection.execute(_ADD, sent).rowcount:
        connection.execute(insert(_TALLY), {"key_count": change, **same})


@dataclass(frozen=True, slots=True)
class Counted:
    """Which keys are counted: of one account; of some products, kinds, statuses, or of all."""

    account_id: str
    kinds: Collection[KeyKind] = tuple(KeyKind)
    products: Collection[str] | None = None

    def within(self, table: Table) -> list[Condition]:
        """Return the conditions on products and kinds of keys or tallies."""
        conditions: list[Condition] = []
        if self.products is not None:
            conditions.append(table.c.product_code.in_(sorted(self.products)))
        if set(self.kinds) != set(KeyKind):
            product = tables.product
            of_kind = select(product.c.code).where(product.c.kind.in_(self.kinds))
            conditions.append(table.c.product_code.in_(of_kind))
        return conditions


def count_keys(connection: Connection, counted: Counted) -> int:
    """Return the number of keys whatever their status."""
    return _count_states(connection, counted, tuple(KeyState), None)


def count_status(connection: Connection, counted: Counted, status: KeyStatus, now: datetime) -> int:
    """Return the number of keys with one status; `domain.status.key_status` in numbers."""
    instant = to_instant(now)
    soon = to_instant(now + timedelta(days=EXPIRING_DAYS_DEFAULT))
    if status in _BY_STATE:
        return _count_states(connection, counted, (_BY_STATE[status],), None)
    if status is KeyStatus.EXPIRED:
        return _count_states(connection, counted, DATED_STATES, instant)
    if status is KeyStatus.PENDING:
        return _count_later(connection, counted, instant, DATED_STATES, instant, None)
    if status is KeyStatus.EXPIRING:
        return (
            _count_states(connection, counted, DATED_STATES, soon)
            - _count_states(connection, counted, DATED_STATES, instant)
            - _count_later(connection, counted, instant, DATED_STATES, instant, soon)
        )
    states = (KeyState.ACTIVE if status is KeyStatus.ACTIVE else KeyState.UNASSIGNED,)
    return (
        _count_states(connection, counted, states, None)
        - _count_states(connection, counted, states, soon)
        - _count_later(connection, counted, instant, states, soon, None)
    )


_BY_STATE = {
    KeyStatus.REVOKED: KeyState.REVOKED,
    KeyStatus.SUSPENDED: KeyState.SUSPENDED,
    KeyStatus.SUPERSEDED: KeyState.SUPERSEDED,
}


def _count_states(
    connection: Connection, counted: Counted, states: tuple[KeyState, ...], until: int | None
) -> int:
    """Return the number of keys in these shown states that expire until an instant, or all."""
    whole = select(func.coalesce(func.sum(_TALLY.c.key_count), 0)).where(
        _TALLY.c.account_id == counted.account_id,
        _TALLY.c.shown_state.in_(states),
        *opaque(counted.within(_TALLY)),
    )
    if until is None:
        return int(connection.execute(whole).scalar_one())
    week = until // WEEK
    rest = select(func.count()).where(
        _KEY.c.account_id == counted.account_id,
        _KEY.c.shown_state.in_(states),
        _KEY.c.expiry_order >= week * WEEK,
        _KEY.c.expiry_order <= until,
        *opaque(counted.within(_KEY)),
    )
    before = whole.where(_TALLY.c.expiry_week < week)
    return sum(int(connection.execute(part).scalar_one()) for part in (before, rest))


def _count_later(
    connection: Connection,
    counted: Counted,
    now: int,
    states: tuple[KeyState, ...],
    after: int,
    until: int | None,
) -> int:
    """Return the number of keys in these shown states that have not started yet.

    Only those that expire after one instant, and until another, are counted.
    """
    conditions = [
        _KEY.c.shown_state.in_(states),
        _KEY.c.expiry_order > after,
        *counted.within(_KEY),
    ]
    if until is not None:
        conditions.append(_KEY.c.expiry_order <= until)
    statement = select(func.count()).where(
        _KEY.c.account_id == counted.account_id, _KEY.c.starts_at > now, *opaque(conditions)
    )
    return int(connection.execute(statement).scalar_one())
