"""Why a command cannot be run now: the sentences that are shown when its key is pressed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui_licenses.domain.account import Role
from tui_licenses.domain.instance import Instance
from tui_licenses.domain.license_key import KeyState, LicenseKey
from tui_licenses.domain.status import license_file_refusal
from tui_licenses.state.app_state import AppState


@dataclass(frozen=True, slots=True)
class Situation:
    """What a command would act on: the state, and the instance and key the screen shows."""

    state: AppState
    instance: Instance | None = None
    key: LicenseKey | None = None


Refusal = Callable[[Situation], str | None]


def needs_instance(situation: Situation) -> str | None:
    """Refuse where no instance is meant."""
    if situation.instance is None:
        return "There is no instance on this row."
    return None


def needs_key(situation: Situation) -> str | None:
    """Refuse where no key is meant."""
    if situation.key is None:
        return "There is no key on this row; move to a key."
    return None


def needs_license_file(situation: Situation) -> str | None:
    """Refuse where the instance has no license file."""
    if situation.state.marked_ids:
        return None
    if situation.instance is None and situation.key is None:
        return "There is neither an instance nor a key on this row."
    return license_file_refusal(situation.instance, _master_state(situation))


def needs_certificate(situation: Situation) -> str | None:
    """Refuse where neither a key is meant nor rows are marked."""
    return None if situation.state.marked_ids else needs_key(situation)


def needs_profile(situation: Situation) -> str | None:
    """Refuse where no server profile was uploaded."""
    if situation.state.marked_ids:
        return None
    if situation.instance is None:
        return "There is no instance on this row."
    if not situation.instance.has_profile:
        return "This instance has no server profile; none was uploaded yet."
    return None


def needs_fingerprint(situation: Situation) -> str | None:
    """Refuse where the instance has no fingerprint."""
    refusal = needs_instance(situation)
    if refusal is None and situation.instance is not None and not situation.instance.fingerprint:
        return "This instance has no fingerprint; its server profile holds no identity."
    return refusal


def needs_operator(situation: Situation) -> str | None:
    """Refuse what a reader may not do."""
    user = situation.state.user
    if user is not None and user.role is Role.READER:
        return "Your role is reader; this needs an operator or an administrator."
    return None


def needs_operator_and_instance(situation: Situation) -> str | None:
    """Refuse what a reader may not do, or where no instance is meant."""
    return needs_operator(situation) or needs_instance(situation)


def _master_state(situation: Situation) -> KeyState | None:
    inventory, instance = situation.state.inventory, situation.instance
    if inventory is None or instance is None:
        return None
    master = inventory.keys.find(instance.master_key_id)
    return None if master is None else master.state
