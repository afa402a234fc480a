"""The license keys of an account as a table in columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

from tui_licenses.domain.license_key import KEY_LENGTH, Feature, KeyKind, KeyState, LicenseKey
from tui_licenses.domain.packed import (
    ChoiceColumn,
    CodeColumn,
    NumberColumn,
    Read,
    TextColumn,
    Texts,
    moment_of,
    optional_microseconds,
    optional_moment_of,
)
from tui_licenses.domain.pooled import PooledColumn, pooled_texts
from tui_licenses.domain.table import ID_LENGTH_MAXIMUM, Columns, Table

_FEATURE_TEXTS = 3


class Product(NamedTuple):
    """What a key licenses; many keys have equal ones."""

    kind: KeyKind
    code: str
    name: str
    features: tuple[Feature, ...]


class Holder(NamedTuple):
    """The instance a key is assigned to, as its row tells it."""

    instance_id: str | None
    instance_name: str | None


class KeyColumns(Columns[LicenseKey]):
    """Every member of `LicenseKey` as a column."""

    def __init__(self) -> None:
        self.ids = CodeColumn(ID_LENGTH_MAXIMUM)
        self.keys = CodeColumn(KEY_LENGTH)
        self.products = PooledColumn(_product_texts, _product)
        self.states = ChoiceColumn(KeyState)
        self.holders = PooledColumn(tuple, _holder)
        self.masters = pooled_texts()
        self.orders = TextColumn()
        self.issued = NumberColumn()
        self.starts = NumberColumn()
        self.activated = NumberColumn()
        self.expires = NumberColumn()
        self.terminates = NumberColumn()
        self.updated = NumberColumn()
        self.revisions = NumberColumn()

    def members(self, key: LicenseKey) -> tuple[object, ...]:
        """Return what a key has for each column."""
        return (
            key.id,
            key.key,
            Product(key.kind, key.product_code, key.product_name, key.features),
            key.state,
            Holder(key.instance_id, key.instance_name),
            key.master_key_id,
            key.order_reference,
            optional_microseconds(key.issued_at),
            optional_microseconds(key.starts_at),
            optional_microseconds(key.activated_at),
            optional_microseconds(key.expires_at),
            optional_microseconds(key.terminates_at),
            optional_microseconds(key.updated_at),
            key.revision,
        )

    def item(self, index: int) -> LicenseKey:
        """Make the key at a place."""
        product, holder = self.products[index], self.holders[index]
        return LicenseKey(
            self.ids[index],
            self.keys[index],
            product.kind,
            product.code,
            product.name,
            product.features,
            self.states[index],
            holder.instance_id,
            holder.instance_name,
            self.masters[index],
            self.orders[index],
            moment_of(self.issued[index]),
            optional_moment_of(self.starts[index]),
            optional_moment_of(self.activated[index]),
            optional_moment_of(self.expires[index]),
            optional_moment_of(self.terminates[index]),
            moment_of(self.updated[index]),
            self.revisions[index],
        )


class KeyTable(Table[LicenseKey, KeyColumns]):
    """License keys as a frozen sequence; `columns` are there for who counts, sorts or searches."""

    @classmethod
    def of(cls, keys: Iterable[LicenseKey] = ()) -> Self:
        """Return a table of keys in their order; raises `ValueError` for an impossible one."""
        return cls(KeyColumns(), 0).extended(keys)

    @classmethod
    def read(cls, read: Read) -> Self:
        """Return a table that was written; raises `Damaged`."""
        return cls.read_into(KeyColumns(), read)

    def of_instance(self, instance_id: str) -> tuple[LicenseKey, ...]:
        """Return the keys that are assigned to an instance, in their order."""
        holders = self.columns.holders
        wanted = {
            number
            for number in range(holders.pool_size)
            if holders.value(number).instance_id == instance_id
        }
        found: list[int] = []
        for number in wanted:
            found += _places(holders.numbers, number, len(self))
        return tuple(map(self.columns.item, sorted(found)))


def _places(numbers: Sequence[int], wanted: int, end: int) -> list[int]:
    places: list[int] = []
    start = 0
    while start < end:
        try:
            start = numbers.index(wanted, start, end) + 1
        except ValueError:
            break
        places.append(start - 1)
    return places


def _product_texts(product: Product) -> Texts:
    texts: list[str | None] = [product.kind, product.code, product.name]
    for feature in product.features:
        quantity = None if feature.quantity is None else str(feature.quantity)
        texts += [feature.code, feature.name, quantity]
    return tuple(texts)


def _product(texts: Texts) -> Product:
    kind, code, name, *rest = texts
    features = tuple(
        Feature(
            rest[start] or "",
            rest[start + 1] or "",
            None if (quantity := rest[start + 2]) is None else int(quantity),
        )
        for start in range(0, len(rest), _FEATURE_TEXTS)
    )
    return Product(KeyKind(kind or ""), code or "", name or "", features)


def _holder(texts: Texts) -> Holder:
    return Holder(texts[0], texts[1])
