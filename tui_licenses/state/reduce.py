"""The next state after an event: pure, without I/O and without a clock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import LicenseKey
from tui_licenses.state import events
from tui_licenses.state.app_state import AppState, Sort

if TYPE_CHECKING:
    from tui_licenses.service.outcomes import SavedFile

# Percent.
_STEP = 5


def reduce(state: AppState, event: events.Event) -> AppState:
    """Return the state after `event`."""
    match event:
        case events.UserIdentified(user):
            return replace(state, user=user)
        case (
            events.LoadStarted()
            | events.LoadProgressed()
            | events.InventoryLoaded()
            | events.LoadFailed()
        ):
            return _with_load(state, event)
        case events.InstanceChanged(instance):
            return _with_instance(state, instance)
        case events.KeysActivated(activation):
            instance = activation.instance
            keys: dict[str, LicenseKey | None] = {key.id: key for key in activation.keys}
            return _with_changes(state, {instance.id: instance}, keys)
        case events.FileSaved(file):
            return _with_files(state, (file,))
        case events.FilesSaved(files):
            return _with_files(state, files)
        case (
            events.MarkToggled()
            | events.RowsMarked()
            | events.RowsUnmarked()
            | events.MarksCleared()
        ):
            return replace(state, marked_ids=_marks(state.marked_ids, event))
        case _:
            return _with_view(state, event)


def _with_load(state: AppState, event: events.LoadEvent) -> AppState:
    match event:
        case events.LoadStarted():
            return replace(state, is_loading=True, loaded_percent=None)
        case events.LoadProgressed(loaded_count):
            return _with_progress(state, loaded_count)
        case events.InventoryLoaded(inventory):
            # Without a cursor it is a part of a load that goes on.
            return replace(
                state,
                user=inventory.user,
                inventory=inventory,
                is_loading=inventory.cursor is None,
                problem=None,
            )
        case events.LoadFailed(problem):
            return replace(state, is_loading=False, problem=problem)


def _with_progress(state: AppState, loaded_count: int) -> AppState:
    """Tell the progress in steps: a line that changes at every page would flicker."""
    total = None if state.inventory is None else state.inventory.total_count
    percent = None if not total else loaded_count * 100 // total // _STEP * _STEP
    return state if percent == state.loaded_percent else replace(state, loaded_percent=percent)


def _marks(marked: frozenset[str], event: events.Event) -> frozenset[str]:
    match event:
        case events.MarkToggled(row_id):
            return marked ^ {row_id}
        case events.RowsMarked(ids):
            return marked | ids
        case events.RowsUnmarked(ids):
            return marked - ids
        case _:
            return frozenset()


def _with_files(state: AppState, files: tuple[SavedFile, ...]) -> AppState:
    """Put saved files before the others, the last one first; each path stands there once."""
    by_path = {saved.path: saved for saved in (*state.saved_files[::-1], *files)}
    for file in files:
        by_path[file.path] = by_path.pop(file.path)
    return replace(state, saved_files=tuple(by_path.values())[::-1])


def _with_view(state: AppState, event: events.Event) -> AppState:
    view = state.view
    match event:
        case events.AddOnsToggled(show_add_ons):
            view = replace(view, show_add_ons=show_add_ons)
        case events.FilterChanged(text):
            view = replace(view, filter_text=text)
        case events.SortChosen(column_id):
            is_same = column_id is not None and view.sort.column_id == column_id
            view = replace(view, sort=Sort(column_id, is_same and not view.sort.is_descending))
        case events.MaskToggled():
            view = replace(view, mask_keys=not view.mask_keys)
        case events.UtcToggled():
            view = replace(view, show_utc=not view.show_utc)
    return replace(state, view=view)


def _with_instance(state: AppState, instance: Instance) -> AppState:
    """Put an instance in its place; the names on its key rows follow."""
    return _with_changes(state, {instance.id: instance}, {})


def _with_changes(
    state: AppState, instances: dict[str, Instance | None], keys: dict[str, LicenseKey | None]
) -> AppState:
    inventory = state.inventory
    if inventory is None:
        return state
    return replace(state, inventory=inventory.with_changes(instances, keys))
