"""How objects are shown to people: the columns of tables and the facts of single objects."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tui_licenses.cli.output import Column
from tui_licenses.domain.countries import country_name
from tui_licenses.domain.license_key import group_key
from tui_licenses.state.ages import relative_text
from tui_licenses.state.app_state import View
from tui_licenses.state.columns import instant_text

Record = dict[str, Any]
Facts = list[tuple[str, str]]

_LOCAL = View()


def text(value: object) -> str:
    """Return a value for a table; nothing for what is absent."""
    return "" if value is None else str(value)


def instant(value: str | None) -> str:
    """Return an RFC 3339 instant as local date and time."""
    return instant_text(None if value is None else datetime.fromisoformat(value), _LOCAL)


def instant_and_age(value: str | None, now: datetime) -> str:
    """Return an RFC 3339 instant as local date and time, and how long ago that was."""
    if value is None:
        return ""
    moment = datetime.fromisoformat(value)
    return f"{instant_text(moment, _LOCAL)} ({relative_text(moment, now)})"


def key(value: str) -> str:
    """Return a key in groups of four; a masked one as it is."""
    return value if "-" in value else group_key(value)


def location(record: Record) -> str:
    """Return a location as country and label."""
    country = country_name(record["countryCode"])
    return f"{country}, {record['label']}" if record["label"] else country


def features(record: Record) -> str:
    """Return the features of a key with their quantities."""
    return ", ".join(
        feature["name"]
        if feature["quantity"] is None
        else f"{feature['name']} ×{feature['quantity']}"
        for feature in record["features"]
    )


INSTANCE_COLUMNS: tuple[Column, ...] = (
    ("NAME", lambda record: record["name"]),
    ("STATE", lambda record: record["state"]),
    ("KEYS", lambda record: str(record["keyCount"])),
    ("LOCATION", lambda record: location(record["location"])),
    ("VERSION", lambda record: record["coreVersion"] or "unknown"),
    ("UPDATED", lambda record: instant(record["updatedAt"])),
    ("ID", lambda record: record["id"]),
)

KEY_COLUMNS: tuple[Column, ...] = (
    ("KEY", lambda record: key(record["key"])),
    ("KIND", lambda record: "master" if record["kind"] == "master" else "add-on"),
    ("STATUS", lambda record: text(record["status"])),
    ("INSTANCE", lambda record: record["instanceName"] or "-"),
    ("PRODUCT", lambda record: record["productName"]),
    ("FEATURES", features),
    ("EXPIRES", lambda record: instant(record["expiresAt"]) or "never"),
    ("ID", lambda record: record["id"]),
)

EVENT_COLUMNS: tuple[Column, ...] = (
    ("WHEN", lambda record: instant(record["at"])),
    ("ACTOR", lambda record: record["actor"]),
    ("ACTION", lambda record: record["action"]),
    ("TARGET", lambda record: f"{record['targetKind']}/{record['targetId']}"),
)

SAVED_FILE_COLUMNS: tuple[Column, ...] = (
    ("SHA-256", lambda record: text(record.get("sha256"))),
    ("PATH", lambda record: text(record.get("path") or record.get("message"))),
    ("CONTENTS", lambda record: text(record.get("contents"))),
)


def instance_facts(record: Record, now: datetime) -> Facts:
    """Return an instance for people."""
    revision = record["profileRevision"]
    return [
        ("Name", record["name"]),
        ("Location", location(record["location"])),
        ("State", record["state"]),
        ("Core version", record["coreVersion"] or "unknown"),
        ("Host name", text(record["hostname"])),
        ("Keys", f"{record['keyCount']} ({record['addOnCount']} add-ons)"),
        ("Server profile", f"revision {revision}" if revision else "none"),
        ("Fingerprint", text(record["fingerprint"])),
        ("Activated", instant_and_age(record["activatedAt"], now)),
        ("Last updated", instant_and_age(record["updatedAt"], now)),
        ("ID", record["id"]),
    ]


def key_facts(record: Record, now: datetime) -> Facts:
    """Return a key for people: status, last update and instance first."""
    return [
        ("Status", text(record["status"])),
        ("Last updated", instant_and_age(record["updatedAt"], now)),
        ("Instance", record["instanceName"] or "not assigned"),
        ("Key", key(record["key"])),
        ("Kind", "master" if record["kind"] == "master" else "add-on"),
        ("Product", record["productName"]),
        ("Features", features(record)),
        ("Activated", instant_and_age(record["activatedAt"], now)),
        ("Starts", instant_and_age(record["startsAt"], now)),
        ("Expires", instant_and_age(record["expiresAt"], now) or "never"),
        ("Order", text(record["orderReference"])),
        ("Instance ID", text(record["instanceId"])),
        ("ID", record["id"]),
    ]
