"""What happened, in the past tense: the only way the state changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_licenses.domain.account import User
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.inventory import Inventory
from tui_licenses.errors import TuiLicensesError

if TYPE_CHECKING:
    from tui_licenses.domain.activation import Activation
    from tui_licenses.service.outcomes import SavedFile


@dataclass(frozen=True, slots=True)
class UserIdentified:
    user: User


@dataclass(frozen=True, slots=True)
class LoadStarted:
    pass


@dataclass(frozen=True, slots=True)
class InventoryLoaded:
    inventory: Inventory


@dataclass(frozen=True, slots=True)
class LoadProgressed:
    """So many instances and keys are there by now."""

    loaded_count: int


@dataclass(frozen=True, slots=True)
class LoadFailed:
    problem: TuiLicensesError


@dataclass(frozen=True, slots=True)
class InstanceChanged:
    """An instance was renamed, relocated or given a profile; its key rows follow at once."""

    instance: Instance


@dataclass(frozen=True, slots=True)
class KeysActivated:
    activation: Activation


@dataclass(frozen=True, slots=True)
class FileSaved:
    file: SavedFile


@dataclass(frozen=True, slots=True)
class FilesSaved:
    """Many files were saved, the last of them last."""

    files: tuple[SavedFile, ...]


@dataclass(frozen=True, slots=True)
class AddOnsToggled:
    show_add_ons: bool


@dataclass(frozen=True, slots=True)
class FilterChanged:
    text: str


@dataclass(frozen=True, slots=True)
class SortChosen:
    """The same column again reverses the order; None returns to the default order."""

    column_id: str | None


@dataclass(frozen=True, slots=True)
class MarkToggled:
    row_id: str


@dataclass(frozen=True, slots=True)
class RowsMarked:
    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class RowsUnmarked:
    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class MarksCleared:
    pass


@dataclass(frozen=True, slots=True)
class MaskToggled:
    pass


@dataclass(frozen=True, slots=True)
class UtcToggled:
    pass


LoadEvent = LoadStarted | LoadProgressed | InventoryLoaded | LoadFailed
Event = (
    UserIdentified
    | LoadEvent
    | InstanceChanged
    | KeysActivated
    | FileSaved
    | FilesSaved
    | AddOnsToggled
    | FilterChanged
    | SortChosen
    | MarkToggled
    | RowsMarked
    | RowsUnmarked
    | MarksCleared
    | MaskToggled
    | UtcToggled
)
