"""The instances of an account as a table in columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from tui_licenses.domain.instance import Instance, InstanceState, Location
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


class InstanceColumns(Columns[Instance]):
    """Every member of `Instance` as a column."""

    def __init__(self) -> None:
        self.ids = CodeColumn(ID_LENGTH_MAXIMUM)
        self.names = TextColumn()
        self.locations = PooledColumn(_location_texts, _location)
        self.versions = pooled_texts()
        self.states = ChoiceColumn(InstanceState)
        self.hostnames = TextColumn()
        self.fingerprints = TextColumn()
        self.profile_revisions = NumberColumn()
        self.masters = TextColumn()
        self.key_counts = NumberColumn()
        self.add_on_counts = NumberColumn()
        self.activated = NumberColumn()
        self.created = NumberColumn()
        self.updated = NumberColumn()
        self.revisions = NumberColumn()

    def members(self, instance: Instance) -> tuple[object, ...]:
        """Return what an instance has for each column."""
        return (
            instance.id,
            instance.name,
            instance.location,
            instance.core_version,
            instance.state,
            instance.hostname,
            instance.fingerprint,
            instance.profile_revision,
            instance.master_key_id,
            instance.key_count,
            instance.add_on_count,
            optional_microseconds(instance.activated_at),
            optional_microseconds(instance.created_at),
            optional_microseconds(instance.updated_at),
            instance.revision,
        )

    def item(self, index: int) -> Instance:
        """Make the instance at a place."""
        return Instance(
            self.ids[index],
            self.names[index] or "",
            self.locations[index],
            self.versions[index],
            self.states[index],
            self.hostnames[index],
            self.fingerprints[index],
            self.profile_revisions[index],
            self.masters[index],
            self.key_counts[index],
            self.add_on_counts[index],
            optional_moment_of(self.activated[index]),
            moment_of(self.created[index]),
            moment_of(self.updated[index]),
            self.revisions[index],
        )


class InstanceTable(Table[Instance, InstanceColumns]):
    """Instances as a frozen sequence; `columns` are there for who counts, sorts or searches."""

    @classmethod
    def of(cls, instances: Iterable[Instance] = ()) -> Self:
        """Return a table of instances in their order; raises `ValueError` for impossible ids."""
        return cls(InstanceColumns(), 0).extended(instances)

    @classmethod
    def read(cls, read: Read) -> Self:
        """Return a table that was written; raises `Damaged`."""
        return cls.read_into(InstanceColumns(), read)


def _location_texts(location: Location) -> Texts:
    return (location.country_code, location.label)


def _location(texts: Texts) -> Location:
    return Location(texts[0] or "", texts[1])
