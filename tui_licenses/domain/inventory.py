"""The inventory: what an account has, in the default order of every list.

The order is that of docs/protocol.md (Conventions): instances by name, those without a master
after the others; the keys of each instance with its master first, then by activation; keys
without an instance at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Self

from tui_licenses.domain.account import User
from tui_licenses.domain.instance import Instance, InstanceState
from tui_licenses.domain.instance_table import InstanceTable
from tui_licenses.domain.key_table import Holder, KeyTable
from tui_licenses.domain.license_key import KeyKind, LicenseKey
from tui_licenses.domain.packed import NO_INSTANT

# Room for an instant of 64 bits below what comes before it in the order.
_INSTANT_BITS = 64
_INSTANT_SHIFT = 1 << 63


@dataclass(frozen=True, slots=True)
class Inventory:
    """What an account has, as of `fetched_at`; `cursor` is where its changes are followed from.

    `cursor` is None while the load is not finished, and with a cloud that cannot be followed.
    `total_count` is how many instances and keys there will be once it is.
    """

    user: User
    instances: InstanceTable
    keys: KeyTable
    fetched_at: datetime
    cursor: str | None
    total_count: int | None = None

    @classmethod
    def of(
        cls,
        user: User,
        instances: Iterable[Instance],
        keys: Iterable[LicenseKey],
        fetched_at: datetime,
        cursor: str | None,
    ) -> Self:
        """Return an inventory of values in any order; raises `ValueError` for impossible ids."""
        tables = (InstanceTable.of(instances), KeyTable.of(keys))
        return cls(user, *tables, fetched_at, cursor).in_order()

    def in_order(self) -> Self:
        """Return the inventory in the default order."""
        instances = _ordered_instances(self.instances)
        keys = _ordered_keys(instances, self.keys)
        if instances is self.instances and keys is self.keys:
            return self
        return replace(self, instances=instances, keys=keys)

    def with_changes(
        self,
        instances: Mapping[str, Instance | None],
        keys: Mapping[str, LicenseKey | None],
    ) -> Self:
        """Return the inventory with changed values by id; None stands for what is gone.

        The names of instances on their key rows follow at once. Raises `ValueError` for
        impossible ids.
        """
        changed = replace(
            self,
            instances=self.instances.changed(instances) if instances else self.instances,
            keys=self.keys.changed(keys) if keys else self.keys,
        )
        names = {item.id: item.name for item in instances.values() if item is not None}
        return replace(changed, keys=_renamed(changed.keys, names)).in_order()


def _renamed(keys: KeyTable, names: Mapping[str, str]) -> KeyTable:
    """Return keys whose rows tell these names of their instances."""
    holders = keys.columns.holders
    stale: dict[int, Holder] = {}
    for number in range(holders.pool_size) if names else ():
        holder = holders.value(number)
        name = names.get(holder.instance_id or "")
        if name is not None and name != holder.instance_name:
            stale[number] = Holder(holder.instance_id, name)
    if not stale:
        return keys
    columns = keys.columns.copy()
    for number, holder in stale.items():
        columns.holders.replace(number, holder)
    return KeyTable(columns, len(keys))


def _ordered_instances(instances: InstanceTable) -> InstanceTable:
    columns = instances.columns
    order = [
        (
            columns.states[place] is InstanceState.RETIRED,
            columns.masters[place] is None,
            (name := columns.names[place] or "").casefold(),
            name,
            columns.ids[place],
        )
        for place in range(len(instances))
    ]
    if all(first <= second for first, second in pairwise(order)):
        return instances
    return instances.picked(sorted(range(len(order)), key=order.__getitem__))


def _ordered_keys(instances: InstanceTable, keys: KeyTable) -> KeyTable:
    order = _key_order(instances, keys)
    ids, width = keys.columns.ids.codes, keys.columns.ids.width

    def is_out_of_order(place: int) -> bool:
        if order[place] != order[place + 1]:
            return order[place] > order[place + 1]
        start = place * width
        return ids[start : start + width] > ids[start + width : start + 2 * width]

    suspects = [place for place, (first, second) in enumerate(pairwise(order)) if first >= second]
    if not any(map(is_out_of_order, suspects)):
        return keys
    return keys.picked(
        sorted(
            range(len(order)),
            key=lambda place: (order[place], bytes(ids[place * width : place * width + width])),
        )
    )


def _key_order(instances: InstanceTable, keys: KeyTable) -> list[int]:
    """Return a number for each key by which keys are sorted; equal ones are sorted by id.

    From the highest bit: the place of the instance; add-ons after masters; superseded masters
    after the current one; the instant of activation, or the place of the product's name.
    """
    columns, count = keys.columns, len(keys)
    groups = group_places(instances, keys)
    loose = len(instances)
    products = [columns.products.value(number) for number in range(columns.products.pool_size)]
    names = sorted({product.name.casefold() for product in products})
    name_places = [names.index(product.name.casefold()) for product in products]
    add_on = [product.kind is KeyKind.ADD_ON for product in products]
    currents = {
        code
        for place in range(len(instances))
        if (code := instances.columns.masters[place]) is not None
    }
    ids = columns.ids
    activated, issued = columns.activated.numbers, columns.issued.numbers
    order: list[int] = []
    for place, (group, product) in enumerate(
        zip(groups, columns.products.numbers[:count], strict=True)
    ):
        if group == loose:
            within, rank = name_places[product], 2 * add_on[product]
        else:
            instant = activated[place]
            within = (issued[place] if instant == NO_INSTANT else instant) + _INSTANT_SHIFT
            rank = 2 if add_on[product] else ids[place] not in currents
        order.append(((group << 2 | rank) << _INSTANT_BITS) | within)
    return order


def group_places(instances: InstanceTable, keys: KeyTable) -> list[int]:
    """Return the place of each key's instance.

    A key without an instance gets the number of instances, one whose instance is not there one
    more.
    """
    places: dict[str | None, int] = {
        instance_id: place for place, instance_id in enumerate(instances.ids())
    }
    places[None] = len(instances)
    holders = keys.columns.holders
    unknown = len(instances) + 1
    # The first text of a holder is the id of its instance.
    by_holder = [places.get(instance_id, unknown) for instance_id in holders.first_texts()]
    return list(map(by_holder.__getitem__, holders.numbers[: len(keys)]))
