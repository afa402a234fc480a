"""Issuing keys to an account: what a sale does."""

from __future__ import annotations

import secrets
import string
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, insert, select

from tui_licenses.cloud import tables
from tui_licenses.cloud.instants import NEVER, to_instant, to_optional_instant
from tui_licenses.cloud.operations.accounts import Counts, find_account, take_sequences
from tui_licenses.cloud.operations.audit import Author, record
from tui_licenses.cloud.operations.change_set import unassigned_position
from tui_licenses.cloud.operations.tallies import add_to_tally
from tui_licenses.cloud.rows import AnyRow, encode_features, key_select, read_key
from tui_licenses.cloud.search import words
from tui_licenses.domain.license_key import (
    GROUP_LENGTH,
    KEY_LENGTH,
    Feature,
    KeyKind,
    KeyState,
    LicenseKey,
    mask_key,
)
from tui_licenses.errors import UseError
from tui_licenses.text import has_control_characters

COUNT_MAXIMUM = 10_000
_TEXT_LENGTH = 120
_FEATURES_MAXIMUM = 256
_QUANTITY_MAXIMUM = 2**53 - 1
_ALPHABET = string.ascii_uppercase + string.digits


@dataclass(frozen=True, slots=True)
class IssueOrder:
    """What is to be issued; without a name and features the catalogue's product."""

    kind: KeyKind
    product_code: str
    product_name: str | None
    features: tuple[Feature, ...]
    count: int
    starts_at: datetime | None
    expires_at: datetime | None
    terminates_at: datetime | None
    order_reference: str | None


def new_key() -> str:
    """Return sixteen random characters."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(KEY_LENGTH))


def issue_keys(
    connection: Connection, now: int, account: str, order: IssueOrder
) -> tuple[LicenseKey, ...]:
    """Issue unassigned keys; raises `UseError` and `NotFoundError`."""
    owner = find_account(connection, account)
    _check_order(order)
    product, features = _product(connection, order)
    add_ons = order.count if order.kind is KeyKind.ADD_ON else 0
    first = take_sequences(
        connection, owner.id, order.count, Counts(keys=order.count, add_ons=add_ons)
    )
    rows = [
        _row(owner, product, features, order, now, first + index) for index in range(order.count)
    ]
    connection.execute(insert(tables.license_key), rows)
    expiry_order = _expiry_order(order)
    add_to_tally(connection, owner.id, KeyState.UNASSIGNED, expiry_order, product.code, order.count)
    record(
        connection,
        Author.administrator(owner.id, now),
        "keys.issued",
        ("account", owner.id),
        after={
            "productCode": order.product_code,
            "orderReference": order.order_reference,
            "keys": [mask_key(str(row["key"])) for row in rows],
        },
    )
    table = tables.license_key
    issued = connection.execute(
        key_select()
        .where(table.c.account_id == owner.id, table.c.sequence >= first)
        .order_by(table.c.sequence)
    )
    return tuple(read_key(row) for row in issued)


def _expiry_order(order: IssueOrder) -> int:
    return NEVER if order.expires_at is None else to_instant(order.expires_at)


def _row(
    owner: AnyRow, product: AnyRow, features: str, order: IssueOrder, now: int, sequence: int
) -> dict[str, object]:
    key_id, key = str(uuid4()), new_key()
    return {
        "id": key_id,
        "account_id": owner.id,
        "key": key,
        "last_four": key[-GROUP_LENGTH:],
        "kind": order.kind,
        "product_code": product.code,
        "features": features,
        "state": KeyState.UNASSIGNED,
        "shown_state": KeyState.UNASSIGNED,
        "order_reference": order.order_reference,
        "issued_at": now,
        "starts_at": to_optional_instant(order.starts_at),
        "expires_at": to_optional_instant(order.expires_at),
        "expiry_order": _expiry_order(order),
        "terminates_at": to_optional_instant(order.terminates_at),
        "updated_at": now,
        "revision": 1,
        "sequence": sequence,
        "position": unassigned_position(order.kind, product.code, key_id),
    }


def _product(connection: Connection, order: IssueOrder) -> tuple[AnyRow, str]:
    """Return the product, added to the catalogue where it is new, and the keys' features."""
    table = tables.product
    find = select(table).where(table.c.code == order.product_code)
    known = connection.execute(find).one_or_none()
    if known is not None:
        if known.kind != order.kind:
            raise _refusal(f"The product {known.code} is sold as {known.kind} keys only.")
        return known, encode_features(order.features) if order.features else known.features
    if order.product_name is None or not order.features:
        raise _refusal("This product is new: it needs a name and at least one feature.")
    features = encode_features(order.features)
    connection.execute(
        insert(table).values(
            code=order.product_code, name=order.product_name, kind=order.kind, features=features
        )
    )
    found = words(order.product_name)
    if found:
        connection.execute(
            insert(tables.product_word),
            [{"word": word, "product_code": order.product_code} for word in found],
        )
    return connection.execute(find).one(), features


def _check_order(order: IssueOrder) -> None:
    if not 1 <= order.count <= COUNT_MAXIMUM:
        raise _refusal(f"From 1 to {COUNT_MAXIMUM} keys are issued at once.")
    texts = [order.product_code, *(entry.code for entry in order.features)]
    texts += [entry.name for entry in order.features]
    texts += [text for text in (order.product_name, order.order_reference) if text is not None]
    if not all(map(_is_signable, texts)):
        raise _refusal(f"Codes and names have 1 to {_TEXT_LENGTH} printable characters in NFC.")
    codes = [entry.code for entry in order.features]
    if len(codes) > _FEATURES_MAXIMUM or len(set(codes)) != len(codes):
        raise _refusal(f"A key has at most {_FEATURES_MAXIMUM} features, each once.")
    if any(not 0 <= (entry.quantity or 0) <= _QUANTITY_MAXIMUM for entry in order.features):
        raise _refusal("A quantity is a whole number that is not negative.")
    dates = [order.starts_at, order.expires_at, order.terminates_at]
    present = [moment for moment in dates if moment is not None]
    if present != sorted(present):
        raise _refusal("A key starts before it expires, and expires before it terminates.")


def _is_signable(text: str) -> bool:
    """Say whether a license file can hold a text (docs/license-file.md, Payload v1)."""
    if not 1 <= len(text) <= _TEXT_LENGTH or has_control_characters(text):
        return False
    return unicodedata.is_normalized("NFC", text)


def _refusal(message: str) -> UseError:
    return UseError("invalid-request", message, "Correct the order and issue it again.")
