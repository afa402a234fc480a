"""What is told about instances and keys on their own screens: names and values, ready to show."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from tui_licenses.domain.countries import country_name
from tui_licenses.domain.instance import Instance, Location
from tui_licenses.domain.license_key import (
    Feature,
    KeyKind,
    KeyState,
    LicenseKey,
    group_key,
    mask_key,
)
from tui_licenses.state.ages import relative_text
from tui_licenses.text import clean

UNKNOWN = "unknown"
FINGERPRINT_CHARACTERS = 16
# Enough to tell apart what one account has.
ID_CHARACTERS = 8


def instant_text(instant: datetime | None, now: datetime, *, show_utc: bool) -> str:
    """Return an instant in RFC 3339, local with its offset or UTC, and how far away it is."""
    if instant is None:
        return UNKNOWN
    shown = instant.astimezone(UTC if show_utc else None).isoformat(timespec="seconds")
    return f"{shown.replace('+00:00', 'Z')} ({relative_text(instant, now)})"


def date_text(instant: datetime, *, show_utc: bool) -> str:
    """Return the day of an instant."""
    return instant.astimezone(UTC if show_utc else None).date().isoformat()


def key_text(key: str, *, is_masked: bool) -> str:
    """Return a key in groups of four, all but the last four hidden where keys are masked."""
    return mask_key(key) if is_masked else group_key(key)


def kind_text(kind: KeyKind | None) -> str:
    """Return the kind of a key as people write it."""
    if kind is None:
        return ""
    return "master" if kind is KeyKind.MASTER else "add-on"


def features_text(features: Iterable[Feature]) -> str:
    """Return features with their quantities."""
    texts = [
        clean(feature.name) + ("" if feature.quantity is None else f" ×{feature.quantity}")
        for feature in features
    ]
    return ", ".join(texts) or "none"


def location_text(location: Location) -> str:
    """Return country, code and free text of a location."""
    country = f"{country_name(location.country_code)} ({location.country_code})"
    return clean(f"{country}, {location.label}" if location.label else country)


def quoted(name: str) -> str:
    """Return a name in quotes, for a line of its own: what it says is nobody's word but its own."""
    return f"“{clean(name)}”"


def quoted_instance(instance: Instance) -> str:
    """Return the name of an instance in quotes, and before it what no name can imitate."""
    return f"id {clean(instance.id[:ID_CHARACTERS])}  {quoted(instance.name)}"


def fingerprint_text(instance: Instance) -> str:
    """Return the beginning of an instance's fingerprint."""
    if instance.fingerprint is None:
        return "none: the server profile has no identity" if instance.has_profile else UNKNOWN
    return clean(instance.fingerprint[:FINGERPRINT_CHARACTERS]) + "…"


def contents_text(keys: Iterable[LicenseKey]) -> str:
    """Return what the license file of an instance with these keys will hold."""
    add_ons = sum(1 for key in keys if not key.is_master and key.state is KeyState.ACTIVE)
    return f"contains 1 master + {add_ons} add-on{'' if add_ons == 1 else 's'}"


def validity_text(key: LicenseKey, now: datetime, *, show_utc: bool) -> str:
    """Return from when until when a key licenses, and when it stops."""
    starts = "" if key.starts_at is None else f"from {date_text(key.starts_at, show_utc=show_utc)} "
    if key.expires_at is None:
        return f"{starts}perpetual"
    ends = f"until {date_text(key.expires_at, show_utc=show_utc)}"
    text = f"{starts}{ends} ({relative_text(key.expires_at, now)})"
    if key.terminates_at is not None:
        text += f", stops {date_text(key.terminates_at, show_utc=show_utc)}"
    return text


def instance_keys(keys: Iterable[LicenseKey], instance_id: str) -> tuple[LicenseKey, ...]:
    """Return the keys of an instance: its current master first, then by activation."""
    own = [key for key in keys if key.instance_id == instance_id]
    own.sort(
        key=lambda key: (
            not key.is_master,
            key.state is KeyState.SUPERSEDED,
            key.activated_at or key.issued_at,
            key.id,
        )
    )
    return tuple(own)
