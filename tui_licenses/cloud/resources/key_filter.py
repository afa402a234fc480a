"""The filters of the list of keys: as conditions on rows, and how many keys meet them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from tui_licenses.cloud import tables
from tui_licenses.cloud.http.call import Call, invalid, read_flag
from tui_licenses.cloud.http.listing import count_rows
from tui_licenses.cloud.instants import to_instant
from tui_licenses.cloud.operations.tallies import DATED_STATES, Counted, count_keys, count_status
from tui_licenses.cloud.resources.instances import ids_with_word, query_words
from tui_licenses.cloud.search import prefix_range
from tui_licenses.domain.license_key import KeyKind, KeyState
from tui_licenses.domain.status import EXPIRING_DAYS_DEFAULT, KeyStatus

_KEY = tables.license_key

Conditions = list[ColumnElement[bool]]


def status_condition(status: KeyStatus, now: datetime) -> ColumnElement[bool]:
    """Return `domain.status.key_status` as a condition on rows."""
    instant = to_instant(now)
    soon = to_instant(now + timedelta(days=EXPIRING_DAYS_DEFAULT))
    shown, expiry = _KEY.c.shown_state, _KEY.c.expiry_order
    dated = shown.in_(DATED_STATES)
    started = or_(_KEY.c.starts_at.is_(None), _KEY.c.starts_at <= instant)
    return {
        KeyStatus.REVOKED: shown == KeyState.REVOKED,
        KeyStatus.SUSPENDED: shown == KeyState.SUSPENDED,
        KeyStatus.SUPERSEDED: shown == KeyState.SUPERSEDED,
        KeyStatus.EXPIRED: and_(dated, expiry <= instant),
        KeyStatus.PENDING: and_(dated, expiry > instant, _KEY.c.starts_at > instant),
        KeyStatus.EXPIRING: and_(dated, expiry > instant, expiry <= soon, started),
        KeyStatus.ACTIVE: and_(shown == KeyState.ACTIVE, expiry > soon, started),
        KeyStatus.UNASSIGNED: and_(shown == KeyState.UNASSIGNED, expiry > soon, started),
    }[status]


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """Which keys of the account a list shows; `statuses` and `words` are empty for all."""

    account_id: str
    now: datetime
    kinds: tuple[KeyKind, ...]
    statuses: tuple[KeyStatus, ...]
    instance_id: str | None
    words: tuple[str, ...]

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

    def conditions(self, connection: Connection) -> tuple[Conditions, Conditions]:
        """Return the conditions beside the account: on the kind, and all others."""
        of_kind: Conditions = []
        if len(self.kinds) != len(KeyKind):
            of_kind = [_KEY.c.kind.in_(self.kinds)]
        others = self._plain_conditions()
        others += [
            _word_condition(self.account_id, word, _products_with_word(connection, word))
            for word in self.words
        ]
        return of_kind, others

    def count(self, connection: Connection) -> int:
        """Return how many keys meet the filters: from tallies, as far as they tell."""
        if self.instance_id is not None or len(self.words) > 1:
            of_kind, others = self.conditions(connection)
            return self._count_rows(connection, [*of_kind, *others])
        if not self.words:
            return self._count_tallied(connection, None)
        # By product, and the rest one by one: few of those, unless many names match.
        products = _products_with_word(connection, self.words[0])
        by_name = _word_condition(self.account_id, self.words[0], ())
        rest = [*self._plain_conditions(), by_name, _KEY.c.product_code.not_in(products)]
        if len(self.kinds) != len(KeyKind):
            rest.append(_KEY.c.kind.in_(self.kinds))
        return self._count_tallied(connection, products) + self._count_rows(connection, rest)

    def _count_tallied(self, connection: Connection, products: Sequence[str] | None) -> int:
        counted = Counted(self.account_id, self.kinds, products)
        if not self.statuses:
            return count_keys(connection, counted)
        return sum(count_status(connection, counted, status, self.now) for status in self.statuses)

    def _count_rows(self, connection: Connection, conditions: Conditions) -> int:
        of_account = _KEY.c.account_id == self.account_id
        return count_rows(connection, _KEY, [of_account, *conditions])

    def _plain_conditions(self) -> Conditions:
        conditions: Conditions = []
        if self.instance_id is not None:
            conditions.append(_KEY.c.instance_id == self.instance_id)
        if self.statuses:
            conditions.append(or_(*(status_condition(each, self.now) for each in self.statuses)))
        return conditions


def _read_kinds(call: Call) -> tuple[KeyKind, ...]:
    kind = call.parameter("kind")
    kinds = tuple(KeyKind) if read_flag(call, "includeAddOns", default=True) else (KeyKind.MASTER,)
    if kind is None:
        return kinds
    if kind not in set(KeyKind):
        raise invalid("kind", f"A kind is one of: {', '.join(KeyKind)}.")
    return tuple(each for each in kinds if each == kind)


def _products_with_word(connection: Connection, word: str) -> tuple[str, ...]:
    """Return the codes of the products one of whose words begins with `word`."""
    table = tables.product_word
    first, last = prefix_range(word)
    found = select(table.c.product_code).where(table.c.word >= first, table.c.word < last)
    return tuple(dict.fromkeys(connection.execute(found).scalars()))


def _word_condition(account_id: str, word: str, products: Sequence[str]) -> ColumnElement[bool]:
    """Say of a key that its instance's name or its last four begin with a word, or its product.

    Each part names the account, so that an index serves each.
    """
    of_account = _KEY.c.account_id == account_id
    first, last = prefix_range(word.upper())
    conditions = [
        and_(of_account, _KEY.c.instance_id.in_(ids_with_word(account_id, word))),
        and_(of_account, _KEY.c.last_four >= first, _KEY.c.last_four < last),
    ]
    if products:
        conditions.append(_KEY.c.product_code.in_(products))
    return or_(*conditions)
