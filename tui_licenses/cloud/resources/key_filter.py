"""The filters of the list of keys: as conditions on rows, and how many keys meet them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, or_, select

from tui_licenses.cloud import tables
from tui_licenses.cloud.conditions import Condition, among, opaque
from tui_licenses.cloud.http.call import Call, invalid, read_flag
from tui_licenses.cloud.http.listing import Finder, count_rows
from tui_licenses.cloud.instants import to_instant
from tui_licenses.cloud.operations.change_set import FIRST_UNASSIGNED
from tui_licenses.cloud.operations.tallies import DATED_STATES, Counted, count_keys, count_status
from tui_licenses.cloud.resources.instances import ids_with_word, query_words
from tui_licenses.cloud.rows import AnyRow
from tui_licenses.cloud.search import prefix_range
from tui_licenses.domain.license_key import KeyKind, KeyState
from tui_licenses.domain.status import EXPIRING_DAYS_DEFAULT, KeyStatus

_KEY = tables.license_key


def status_condition(status: KeyStatus, now: datetime) -> Condition:
    """Return `domain.status.key_status` as a condition on rows."""
    instant, shown = to_instant(now), _KEY.c.shown_state
    of_state = shown == _ONE_STATE[status] if status in _ONE_STATE else shown.in_(DATED_STATES)
    conditions = [of_state, *_expiry_bounds(status, now)]
    if status is KeyStatus.PENDING:
        conditions.append(_KEY.c.starts_at > instant)
    elif status in {KeyStatus.EXPIRING, KeyStatus.ACTIVE, KeyStatus.UNASSIGNED}:
        conditions.append(or_(_KEY.c.starts_at.is_(None), _KEY.c.starts_at <= instant))
    return and_(*conditions)


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """Which keys of the account a list shows; `statuses` and `words` are empty for all."""

    account_id: str
    now: datetime
    kinds: tuple[KeyKind, ...]
    statuses: tuple[KeyStatus, ...] = ()
    instance_id: str | None = None
    words: tuple[str, ...] = ()

    @classmethod
    def read(cls, call: Call) -> KeyFilter:
        """Read the query parameters; raises `Problem`."""
        text = call.parameter("status")
        wanted = () if text is None else tuple(dict.fromkeys(text.split(",")))
        if not set(wanted) <= set(KeyStatus):
            raise invalid("status", f"A status is one of: {', '.join(KeyStatus)}.")
        return cls(
            call.signed_in.account_id,
            call.now,
            _read_kinds(call),
            tuple(KeyStatus(status) for status in wanted),
            call.parameter("instanceId"),
            query_words(call),
        )


@dataclass(frozen=True, slots=True)
class ChosenKeys:
    """What a filter comes to in a database: see `http.listing.Listed`."""

    total: int
    at_most: int
    scope: list[Condition]
    filters: list[Condition]
    finder: Finder | None


def choose_keys(connection: Connection, account: AnyRow, found: KeyFilter, sort: str) -> ChosenKeys:
    """Count the keys a filter leaves, and say by which conditions they are read."""
    words = [_Word.read(connection, account.id, text) for text in found.words]
    scope, at_most = [_KEY.c.account_id == account.id], account.key_count
    filters = [*_plain_conditions(found), *(word.condition for word in words)]
    if sort == "instanceName" and _of_kind(found):
        # An index has the kind before the positions.
        scope += _of_kind(found)
        at_most = count_keys(connection, Counted(account.id, found.kinds))
    else:
        filters += _of_kind(found)
    if len(found.statuses) == 1 and not words:
        scope += _bounds(found.statuses[0], found.now, sort)
    total = _count_all(connection, found, words)
    return ChosenKeys(total, at_most, scope, filters, _finder(connection, found, words, total))


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of `q`: the products it names, and the keys whose name or last four it begins."""

    text: str
    products: frozenset[str]
    by_name: Condition

    @classmethod
    def read(cls, connection: Connection, account_id: str, text: str) -> _Word:
        table = tables.product_word
        first, last = prefix_range(text)
        products = select(table.c.product_code).where(table.c.word >= first, table.c.word < last)
        # Each part names the account, so that an index serves each.
        of_account = _KEY.c.account_id == account_id
        first, last = prefix_range(text.upper())
        by_name = or_(
            and_(of_account, among(_KEY.c.instance_id, ids_with_word(account_id, text))),
            and_(of_account, _KEY.c.last_four >= first, _KEY.c.last_four < last),
        )
        return cls(text, frozenset(connection.execute(products).scalars()), by_name)

    @property
    def condition(self) -> Condition:
        """Return the condition on keys that the word matches."""
        if not self.products:
            return self.by_name
        return or_(_KEY.c.product_code.in_(sorted(self.products)), self.by_name)


def _finder(
    connection: Connection, found: KeyFilter, words: list[_Word], total: int
) -> Finder | None:
    """Return the condition that an index serves best, None where each serves most of the keys."""
    if found.instance_id is not None:
        # Few, whatever else is asked for.
        return Finder(_KEY.c.instance_id == found.instance_id, 0)
    is_alone = not _of_kind(found) and len(words) + bool(found.statuses) == 1
    named = [word for word in words if not word.products]
    if named:
        by_name = _longest(named).by_name
        return Finder(by_name, total if is_alone else count_rows(connection, _KEY, [by_name]))
    if not found.statuses:
        return None
    every = KeyFilter(found.account_id, found.now, tuple(KeyKind), found.statuses)
    of_account = _KEY.c.account_id == found.account_id
    condition = or_(
        *(and_(of_account, status_condition(each, found.now)) for each in found.statuses)
    )
    return Finder(condition, total if is_alone else _count_tallied(connection, every, None))


def _count_all(connection: Connection, found: KeyFilter, words: list[_Word]) -> int:
    """Count the matches: those of products all words name from tallies, the rest one by one."""
    if found.instance_id is None and not words:
        return _count_tallied(connection, found, None)
    of_account = _KEY.c.account_id == found.account_id
    others = [of_account, *_plain_conditions(found), *_of_kind(found)]
    if found.instance_id is not None:
        on_instance = _KEY.c.instance_id == found.instance_id
        others += [word.condition for word in words]
        return count_rows(connection, _KEY, [on_instance, *opaque(others)])
    named = [word for word in words if not word.products]
    if named:
        longest = _longest(named)
        others += [word.condition for word in words if word is not longest]
        return count_rows(connection, _KEY, [longest.by_name, *opaque(others)])
    # A key of another product is met by its name for one of the words at least.
    products = frozenset.intersection(*(word.products for word in words))
    others.append(_KEY.c.product_code.not_in(sorted(products)))
    if len(words) > 1:
        others += [word.condition for word in words]
    by_name = or_(*(word.by_name for word in words))
    rest = count_rows(connection, _KEY, [by_name, *opaque(others)])
    return rest + (_count_tallied(connection, found, products) if products else 0)


def _longest(words: list[_Word]) -> _Word:
    """Return the word that the fewest names will meet."""
    return max(words, key=lambda word: len(word.text))


def _count_tallied(
    connection: Connection, found: KeyFilter, products: frozenset[str] | None
) -> int:
    counted = Counted(found.account_id, found.kinds, products)
    if not found.statuses:
        return count_keys(connection, counted)
    return sum(count_status(connection, counted, each, found.now) for each in found.statuses)


def _plain_conditions(found: KeyFilter) -> list[Condition]:
    conditions: list[Condition] = []
    if found.instance_id is not None:
        conditions.append(_KEY.c.instance_id == found.instance_id)
    if found.statuses:
        conditions.append(or_(*(status_condition(each, found.now) for each in found.statuses)))
    return conditions


def _of_kind(found: KeyFilter) -> list[Condition]:
    every = len(found.kinds) == len(KeyKind)
    return [] if every else [_KEY.c.kind.in_(found.kinds)]


def _bounds(status: KeyStatus, now: datetime, sort: str) -> list[Condition]:
    """Return what a status says about the columns of an order: the walk begins and ends there."""
    if sort == "instanceName" and status is KeyStatus.UNASSIGNED:
        return [_KEY.c.position >= FIRST_UNASSIGNED]
    if sort != "expiresAt":
        return []
    bounds = _expiry_bounds(status, now)
    if status in _ONE_STATE:
        bounds.append(_KEY.c.shown_state == _ONE_STATE[status])
    return bounds


_ONE_STATE = {
    KeyStatus.REVOKED: KeyState.REVOKED,
    KeyStatus.SUSPENDED: KeyState.SUSPENDED,
    KeyStatus.SUPERSEDED: KeyState.SUPERSEDED,
    KeyStatus.ACTIVE: KeyState.ACTIVE,
    KeyStatus.UNASSIGNED: KeyState.UNASSIGNED,
}


def _expiry_bounds(status: KeyStatus, now: datetime) -> list[Condition]:
    expiry, instant = _KEY.c.expiry_order, to_instant(now)
    soon = to_instant(now + timedelta(days=EXPIRING_DAYS_DEFAULT))
    return {
        KeyStatus.EXPIRED: [expiry <= instant],
        KeyStatus.PENDING: [expiry > instant],
        KeyStatus.EXPIRING: [expiry > instant, expiry <= soon],
        KeyStatus.ACTIVE: [expiry > soon],
        KeyStatus.UNASSIGNED: [expiry > soon],
    }.get(status, [])


def _read_kinds(call: Call) -> tuple[KeyKind, ...]:
    kind = call.parameter("kind")
    kinds = tuple(KeyKind) if read_flag(call, "includeAddOns", default=True) else (KeyKind.MASTER,)
    if kind is None:
        return kinds
    if kind not in set(KeyKind):
        raise invalid("kind", f"A kind is one of: {', '.join(KeyKind)}.")
    return tuple(each for each in kinds if each == kind)
