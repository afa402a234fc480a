"""Cloud accounts, their plans and the users signed in to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# The Licenses tab exists for the legacy plans only.
LEGACY_PLANS = frozenset({"Pro", "ProPlus", "Enterprise"})

_PLAN_NAMES = {"ProPlus": "Pro+", "OmniD": "Omni-D"}


class Role(StrEnum):
    """What a token may do; each role includes the ones before it."""

    READER = "reader"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class LicensesTab:
    """Whether the account has the Licenses tab; if not, why, and whom to ask."""

    available: bool
    reason: str | None
    support_contact: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """A cloud account and its subscription plan."""

    id: str
    name: str
    plan: str
    plan_starts_at: datetime | None
    plan_ends_at: datetime | None
    licenses_tab: LicensesTab


@dataclass(frozen=True, slots=True)
class User:
    """The signed-in subject and the account it acts for."""

    id: str
    email: str | None
    display_name: str
    role: Role
    account: Account


def has_licenses_tab(plan: str) -> bool:
    """Say whether a plan includes the Licenses tab."""
    return plan in LEGACY_PLANS


def plan_name(plan: str) -> str:
    """Return a plan as people write it: `ProPlus` is shown as `Pro+`."""
    return _PLAN_NAMES.get(plan, plan)
