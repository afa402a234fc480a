"""The state of the dashboard: one frozen value, changed only by `reduce`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui_licenses.domain.account import User
from tui_licenses.domain.inventory import Inventory
from tui_licenses.domain.status import EXPIRING_DAYS_DEFAULT
from tui_licenses.errors import TuiLicensesError

if TYPE_CHECKING:
    from tui_licenses.service.outcomes import SavedFile


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of the table: a column id of `columns`, or None for the default order."""

    column_id: str | None = None
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """How the table is shown; kept per context."""

    show_add_ons: bool = False
    filter_text: str = ""
    sort: Sort = Sort()
    mask_keys: bool = False
    show_utc: bool = False
    expiring_days: int = EXPIRING_DAYS_DEFAULT


@dataclass(frozen=True, slots=True)
class AppState:
    """Everything the screens show.

    `problem` is why the last load failed; the inventory shown is then the last good one.
    `loaded_percent` tells how far a first load is; `marked_ids` are ids of rows (instances or
    keys).
    """

    user: User | None = None
    inventory: Inventory | None = None
    is_loading: bool = False
    loaded_percent: int | None = None
    problem: TuiLicensesError | None = None
    view: View = field(default_factory=View)
    marked_ids: frozenset[str] = frozenset()
    saved_files: tuple[SavedFile, ...] = ()
