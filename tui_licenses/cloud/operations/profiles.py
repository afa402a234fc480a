"""Server profiles: read for what the cloud needs of them, kept byte for byte."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from tui_licenses.api.problems import Problem
from tui_licenses.cloud import tables
from tui_licenses.cloud.rows import AnyRow
from tui_licenses.errors import DocumentError


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """What the cloud takes from a profile; no fingerprint: it can be viewed, not activated."""

    hostname: str | None
    fingerprint: str | None


def read_profile(content: bytes) -> ProfileFacts:
    """Return the facts of a server profile; raises `Problem` (`profile-invalid`)."""
    from tui_licenses.documents.profile import check_activatable, parse_profile

    try:
        profile = parse_profile(content)
        fingerprint = check_activatable(profile)
    except DocumentError as error:
        if error.code == "profile-without-identity":
            return ProfileFacts(profile.hostname, None)
        raise Problem("profile-invalid", error.message) from error
    return ProfileFacts(profile.hostname, fingerprint)


def stored_profile(connection: Connection, row: AnyRow) -> AnyRow | None:
    """Return the latest server profile of an instance, or None."""
    table = tables.profile
    return connection.execute(
        select(table).where(table.c.instance_id == row.id, table.c.revision == row.profile_revision)
    ).one_or_none()


def store_profile(
    connection: Connection, row: AnyRow, content: bytes, facts: ProfileFacts, now: int
) -> dict[str, object]:
    """Keep a new revision of a profile; return the columns of the instance that follow it."""
    revision = row.profile_revision + 1
    connection.execute(
        insert(tables.profile).values(
            instance_id=row.id,
            revision=revision,
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
            hostname=facts.hostname,
            fingerprint=facts.fingerprint,
            uploaded_at=now,
        )
    )
    return {
        "profile_revision": revision,
        "hostname": facts.hostname,
        "fingerprint": facts.fingerprint,
    }
