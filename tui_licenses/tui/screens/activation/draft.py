"""What is being put together for an activation: a value, changed only by making another one.

Nothing here talks to the cloud, so that all that was typed survives every failure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from tui_licenses.domain.activation import ActivationRequest, KeyLookup, NewInstance
from tui_licenses.domain.countries import check_country
from tui_licenses.domain.instance import Instance, Location, check_name
from tui_licenses.errors import TuiLicensesError, UseError

# Spaces and hyphens may stand inside a key; line breaks, commas and semicolons part two keys.
_BETWEEN_KEYS = re.compile(r"[\n\r,;]+")


class Target(StrEnum):
    """Where the keys go."""

    EXISTING = "existing"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class QueuedKey:
    """A key in the queue: not looked up yet, looked up, or with the error of that attempt."""

    key: str
    lookup: KeyLookup | None = None
    error: TuiLicensesError | None = None


@dataclass(frozen=True, slots=True)
class ProfileChoice:
    """A server profile that was read; `source` is the path, or says that it is this host's."""

    source: str
    xml: str
    size_bytes: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The keys, their instance and the explicit decision to replace a master key."""

    queue: tuple[QueuedKey, ...] = ()
    target: Target = Target.EXISTING
    instance: Instance | None = None
    name: str = ""
    country_code: str = ""
    label: str = ""
    core_version: str = ""
    profile: ProfileChoice | None = None
    replace_master: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the queued keys in their order."""
        return tuple(queued.key for queued in self.queue)

    @property
    def needs_profile(self) -> bool:
        """Say whether the chosen instance cannot be activated without a server profile."""
        if self.target is Target.NEW:
            return True
        return self.instance is not None and self.instance.fingerprint is None

    def with_keys(self, keys: tuple[str, ...]) -> Draft:
        """Queue keys in canonical form behind the others, each once."""
        added = tuple(QueuedKey(key) for key in dict.fromkeys(keys) if key not in self.keys)
        return replace(self, queue=(*self.queue, *added))

    def without_key(self, key: str) -> Draft:
        """Take a key off the queue."""
        return replace(self, queue=tuple(queued for queued in self.queue if queued.key != key))

    def with_answer(self, answer: QueuedKey) -> Draft:
        """Put what the cloud said about a key to it, if it is still queued."""
        return replace(
            self,
            queue=tuple(answer if queued.key == answer.key else queued for queued in self.queue),
        )

    def without_errors(self) -> Draft:
        """Forget the errors of lookups, so that those keys are looked up again."""
        return replace(self, queue=tuple(replace(queued, error=None) for queued in self.queue))

    def next_unknown(self) -> QueuedKey | None:
        """Return the first key that the cloud was not asked about yet."""
        for queued in self.queue:
            if queued.lookup is None and queued.error is None:
                return queued
        return None

    def request(self) -> ActivationRequest:
        """Return what to send; raises `UseError` for what is missing or malformed."""
        if not self.queue:
            raise UseError("invalid-request", "No key is queued.", "Type a license key first.")
        if self.needs_profile and self.profile is None:
            raise UseError(
                "profile-required",
                "This instance needs a server profile.",
                "Give the path of one, or use the profile of this host.",
            )
        profile_xml = self.profile.xml if self.profile and self.needs_profile else None
        if self.target is Target.NEW:
            return ActivationRequest(
                self.keys,
                new_instance=self._new_instance(),
                profile_xml=profile_xml,
                replace_master=self.replace_master,
            )
        if self.instance is None:
            raise UseError(
                "invalid-request",
                "No instance is chosen.",
                "Choose one of the list, or a new instance.",
            )
        return ActivationRequest(
            self.keys,
            instance_id=self.instance.id,
            profile_xml=profile_xml,
            replace_master=self.replace_master,
        )

    def _new_instance(self) -> NewInstance:
        if not self.country_code:
            raise UseError(
                "invalid-request",
                "The country of the new instance is missing.",
                "Type the beginning of its name and choose it from the list.",
            )
        location = Location(check_country(self.country_code), self.label.strip() or None)
        return NewInstance(check_name(self.name), location, self.core_version.strip() or None)


def split_typed_keys(text: str) -> tuple[str, ...]:
    """Return the pieces of a typed or pasted text that are meant as keys, unchecked."""
    return tuple(part.strip() for part in _BETWEEN_KEYS.split(text) if part.strip())
