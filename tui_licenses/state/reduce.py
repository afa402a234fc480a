"""The next state after an event: pure, without I/O and without a clock."""

from __future__ import annotations

from dataclasses import replace

from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import LicenseKey
from tui_licenses.service.downloads import SavedFile
from tui_licenses.service.inventory import Inventory
from tui_licenses.state import events
from tui_licenses.state.app_state import AppState, Sort


def reduce(state: AppState, event: events.Event) -> AppState:
    """Return the state after `event`."""
    match event:
        case events.UserIdentified(user):
            return replace(state, user=user)
        case events.LoadStarted():
            return replace(state, is_loading=True)
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
        case events.InstanceChanged(instance):
            return _with_instance(state, instance)
        case events.KeysActivated(activation):
            return _with_keys(_with_instance(state, activation.instance), activation.keys)
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
    inventory = state.inventory
    if inventory is None:
        return state
    is_known = any(known.id == instance.id for known in inventory.instances)
    instances = tuple(
        instance if known.id == instance.id else known for known in inventory.instances
    )
    keys = tuple(
        replace(key, instance_name=instance.name)
        if key.instance_id == instance.id and key.instance_name != instance.name
        else key
        for key in inventory.keys
    )
    return replace(
        state,
        inventory=replace(
            inventory, instances=instances if is_known else (*instances, instance), keys=keys
        ),
    )


def _with_keys(state: AppState, changed: tuple[LicenseKey, ...]) -> AppState:
    inventory: Inventory | None = state.inventory
    if inventory is None:
        return state
    by_id = {key.id: key for key in changed}
    kept = tuple(by_id.pop(key.id, key) for key in inventory.keys)
    return replace(state, inventory=replace(inventory, keys=(*kept, *by_id.values())))
