"""An inventory is always in the default order, and changes keep it there."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.values import NOW, make_instance, make_key, make_user
from tui_licenses.domain.instance import Instance, InstanceState
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.license_key import KeyKind, LicenseKey


def _estate(seed: int) -> tuple[list[Instance], list[LicenseKey]]:
    draw = random.Random(seed)
    instances, keys = [], []
    for number in range(12):
        master = draw.choice((None, f"key-{number}-1", "foreign"))
        instances.append(
            make_instance(
                id=f"instance-{number}",
                name=draw.choice(("Bern", "bern", "Äarau", "Oslo")),
                master_key_id=master,
                state=draw.choice(tuple(InstanceState)),
            )
        )
    for number in range(-2, 14):
        for place in range(draw.randint(0, 5)):
            instance_id = None if number < 0 else f"instance-{number}"
            keys.append(
                make_key(
                    id=f"key-{number}-{place}",
                    kind=draw.choice(tuple(KeyKind)),
                    product_name=draw.choice(("Core", "alpha", "Wall")),
                    instance_id=instance_id,
                    instance_name=None,
                    activated_at=draw.choice((None, NOW, NOW - timedelta(days=place))),
                    issued_at=NOW - timedelta(days=draw.randint(0, 3)),
                )
            )
    draw.shuffle(instances)
    draw.shuffle(keys)
    return instances, keys


def _in_order(instances: list[Instance], keys: list[LicenseKey]) -> tuple[list[str], list[str]]:
    """Sort values one by one, by all that the default order says."""
    instances = sorted(
        instances,
        key=lambda item: (
            item.state is InstanceState.RETIRED,
            item.master_key_id is None,
            item.name.casefold(),
            item.name,
            item.id,
        ),
    )
    places = {item.id: place for place, item in enumerate(instances)}
    currents = {item.master_key_id for item in instances}

    def order(key: LicenseKey) -> tuple[object, ...]:
        if key.instance_id is None:
            return len(places), not key.is_master, key.product_name.casefold(), NOW, key.id
        is_old = key.is_master and key.id not in currents
        when = key.activated_at or key.issued_at
        place = places.get(key.instance_id, len(places) + 1)
        return place, not key.is_master, str(is_old), when, key.id

    return [item.id for item in instances], [key.id for key in sorted(keys, key=order)]


def _ids(inventory: Inventory) -> tuple[list[str], list[str]]:
    return [item.id for item in inventory.instances], [key.id for key in inventory.keys]


@pytest.mark.parametrize("seed", range(20))
def test_values_in_any_order_are_put_into_the_default_one(seed: int) -> None:
    instances, keys = _estate(seed)
    inventory = Inventory.of(make_user(), instances, keys, NOW, "c")
    assert _ids(inventory) == _in_order(instances, keys)
    assert inventory.in_order() is inventory


@pytest.mark.parametrize("seed", range(20))
def test_changes_leave_it_in_the_default_order(seed: int) -> None:
    instances, keys = _estate(seed)
    inventory = Inventory.of(make_user(), instances, keys, NOW, "c")
    renamed = replace(instances[0], name="Zug")
    moved = replace(keys[0], activated_at=NOW + timedelta(days=9))
    changed = inventory.with_changes(
        {renamed.id: renamed, instances[1].id: None}, {moved.id: moved, keys[1].id: None}
    )
    assert _ids(changed) == _in_order([renamed, *instances[2:]], [moved, *keys[2:]])
    assert all(key.instance_name == "Zug" for key in changed.keys if key.instance_id == renamed.id)
    assert _ids(inventory) == _in_order(instances, keys)
