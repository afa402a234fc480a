"""Checks a database against every rule it must keep; finds damage, repairs nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, and_, func, or_, select
from sqlalchemy.exc import DatabaseError

from tui_licenses.cloud import tables
from tui_licenses.cloud.audit_chain import seal_key
from tui_licenses.cloud.check_audit import check_audit, check_guards
from tui_licenses.cloud.check_host import check_files, check_settings
from tui_licenses.cloud.findings import Finding
from tui_licenses.cloud.instants import NEVER
from tui_licenses.cloud.operations.change_set import assigned_position, unassigned_position
from tui_licenses.cloud.operations.license_files import current_license_file
from tui_licenses.cloud.operations.tallies import count_by_place, outdated_shown_states
from tui_licenses.cloud.search import name_order, words
from tui_licenses.cloud.storage_check import check_storage
from tui_licenses.domain.instance import InstanceState
from tui_licenses.domain.license_key import GROUP_LENGTH, KeyKind, KeyState, normalise_key
from tui_licenses.errors import DocumentError, UseError

if TYPE_CHECKING:
    from tui_licenses.cloud.store import Store

_Check = Callable[["Store", Connection], Iterator[Finding]]

# A file that is damaged all over should not print a million lines.
FINDINGS_MAXIMUM = 1000

_IN_USE = (KeyState.ACTIVE, KeyState.SUSPENDED)


def check_store(store: Store) -> tuple[Finding, ...]:
    """Return what is wrong, at most `FINDINGS_MAXIMUM` findings."""
    findings: list[Finding] = []
    try:
        with store.read() as connection:
            for finding in chain(_check_host(store, connection), check_content(store, connection)):
                findings.append(finding)
                if len(findings) >= FINDINGS_MAXIMUM:
                    break
    except DatabaseError as error:
        if error.connection_invalidated:
            # The server went away: that is no damage.
            raise
        findings.append(
            Finding("database-damaged", "database", "The database could not be read to its end.")
        )
    return tuple(findings)


def check_content(store: Store, connection: Connection) -> Iterator[Finding]:
    """Yield what is wrong with what a database says, as the transaction of a connection sees it."""
    for check in _CHECKS:
        yield from check(store, connection)


def _check_storage(_store: Store, connection: Connection) -> Iterator[Finding]:
    yield from check_storage(connection)


def _check_host(store: Store, connection: Connection) -> Iterator[Finding]:
    yield from check_settings(connection)
    # SQLite gives its log the mode of the database.
    yield from check_files((store.path, *store.signing.files.names()))


def _check_audit(store: Store, connection: Connection) -> Iterator[Finding]:
    yield from check_guards(connection)
    yield from check_audit(connection, seal_key(store.signing.pepper))


def _check_counters(_store: Store, connection: Connection) -> Iterator[Finding]:
    account, instance, key, event = (
        tables.account,
        tables.instance,
        tables.license_key,
        tables.event,
    )

    def counted(statement: Select[Any]) -> dict[str, int]:
        return dict(connection.execute(statement).all())

    instances = counted(
        select(instance.c.account_id, func.count())
        .where(instance.c.state != InstanceState.RETIRED)
        .group_by(instance.c.account_id)
    )
    keys = counted(select(key.c.account_id, func.count()).group_by(key.c.account_id))
    add_ons = counted(
        select(key.c.account_id, func.count())
        .where(key.c.kind == KeyKind.ADD_ON)
        .group_by(key.c.account_id)
    )
    events = counted(select(event.c.account_id, func.count()).group_by(event.c.account_id))
    for row in connection.execute(select(account)):
        for name, kept, real in (
            ("instances", row.instance_count, instances.get(row.id, 0)),
            ("keys", row.key_count, keys.get(row.id, 0)),
            ("add-ons", row.add_on_count, add_ons.get(row.id, 0)),
            ("events", row.event_count, events.get(row.id, 0)),
        ):
            if kept != real:
                yield Finding(
                    "counter-wrong",
                    f"account {row.id}",
                    f"It counts {kept} {name}; there are {real}.",
                )


def _check_tallies(_store: Store, connection: Connection) -> Iterator[Finding]:
    for row in connection.execute(outdated_shown_states()):
        yield Finding(
            "counter-wrong", f"key {row.id}", f"It counts as {row.before} and is {row.after}."
        )
    tally = tables.key_tally
    place = (tally.c.account_id, tally.c.shown_state, tally.c.expiry_week, tally.c.product_code)
    kept = select(*place, tally.c.key_count).where(tally.c.key_count != 0)
    real = {row[:-1]: row[-1] for row in connection.execute(count_by_place())}
    counted = {row[:-1]: row[-1] for row in connection.execute(kept)}
    for where in sorted(real.keys() | counted.keys()):
        if real.get(where, 0) != counted.get(where, 0):
            yield Finding(
                "counter-wrong",
                f"tally {' '.join(map(str, where))}",
                f"It counts {counted.get(where, 0)} keys; there are {real.get(where, 0)}.",
            )


def _check_sequences(_store: Store, connection: Connection) -> Iterator[Finding]:
    account = tables.account
    for table in (tables.instance, tables.license_key):
        beyond = (
            select(table.c.id)
            .join(account, account.c.id == table.c.account_id)
            .where(table.c.sequence > account.c.sequence)
        )
        for (row_id,) in connection.execute(beyond):
            yield Finding(
                "sequence-wrong",
                f"{table.name} {row_id}",
                "Its change number is beyond the last one of its account.",
            )


def _check_instances(_store: Store, connection: Connection) -> Iterator[Finding]:
    instance, key = tables.instance, tables.license_key
    counts = {
        row.instance_id: row
        for row in connection.execute(
            select(
                key.c.instance_id,
                func.count().label("all"),
                func.count().filter(key.c.kind == KeyKind.ADD_ON).label("add_ons"),
            )
            .where(key.c.instance_id.is_not(None))
            .group_by(key.c.instance_id)
        )
    }
    master = key.alias("master")
    joined = select(
        instance,
        master.c.state.label("master_state"),
        master.c.kind.label("master_kind"),
        master.c.instance_id.label("master_instance_id"),
    ).outerjoin_from(instance, master, master.c.id == instance.c.master_key_id)
    for row in connection.execute(joined):
        target = f"instance {row.id}"
        real = counts.get(row.id)
        if (row.key_count, row.add_on_count) != ((real.all, real.add_ons) if real else (0, 0)):
            yield Finding("counter-wrong", target, "Its key counts are not those of its keys.")
        if row.name_order != name_order(row.name):
            yield Finding("order-wrong", target, "It does not stand in the order of its name.")
        yield from _master_findings(row, target)


def _master_findings(row: Any, target: str) -> Iterator[Finding]:  # noqa: ANN401 - a row
    """Check invariant 3: a licensed instance has one current master, on itself."""
    licensed = row.state == InstanceState.LICENSED
    if row.master_key_id is None:
        if licensed:
            yield Finding("master-wrong", target, "It is licensed and has no master key.")
        return
    if row.master_kind != KeyKind.MASTER or row.master_instance_id != row.id:
        yield Finding("master-wrong", target, "Its master key is not a master key of its own.")
    elif licensed != (row.master_state in _IN_USE):
        yield Finding(
            "master-wrong", target, f"It is {row.state} and its master key is {row.master_state}."
        )
    if licensed and row.fingerprint is None:
        yield Finding("profile-wrong", target, "It is licensed and has no fingerprint.")


def _check_keys(_store: Store, connection: Connection) -> Iterator[Finding]:
    key, instance = tables.license_key, tables.instance
    placed = (key.c.instance_id, instance.c.name, key.c.kind, key.c.activated_at)
    others = (key.c.product_code, key.c.expires_at, key.c.expiry_order, key.c.position)
    statement = select(
        key.c.id,
        key.c.key,
        key.c.last_four,
        key.c.state,
        instance.c.master_key_id,
        *placed,
        *others,
    ).outerjoin_from(key, instance, instance.c.id == key.c.instance_id)
    # Unpacked: a million rows looked up by name take a third longer.
    for key_id, text, last_four, state, master_id, *rest in connection.execute(statement):
        instance_id, name, kind, activated_at, product_code, expires_at, expiry_order, place = rest
        if not _is_canonical(text) or last_four != text[-GROUP_LENGTH:]:
            yield _wrong_key("key-wrong", key_id, "Its characters are not those of a license key.")
        if instance_id is None:
            position = unassigned_position(kind, product_code, key_id)
        else:
            position = assigned_position(name or "", instance_id, kind, activated_at or 0, key_id)
        if place != position or expiry_order != (NEVER if expires_at is None else expires_at):
            yield _wrong_key("order-wrong", key_id, "It does not stand in its place of the order.")
        is_second_master = kind == KeyKind.MASTER and master_id != key_id
        if is_second_master and state in _IN_USE and instance_id is not None:
            message = "It is active beside the instance's master key."
            yield _wrong_key("master-wrong", key_id, message)


def _wrong_key(code: str, key_id: str, message: str) -> Finding:
    return Finding(code, f"key {key_id}", message)


def _is_canonical(text: str) -> bool:
    try:
        return normalise_key(text) == text
    except UseError:
        return False


def _check_words(_store: Store, connection: Connection) -> Iterator[Finding]:
    instance, table = tables.instance, tables.instance_word
    stored: dict[str, set[str]] = {}
    for row in connection.execute(select(table.c.instance_id, table.c.word)):
        stored.setdefault(row.instance_id, set()).add(row.word)
    for row in connection.execute(select(instance.c.id, instance.c.name)):
        if stored.get(row.id, set()) != set(words(row.name)):
            yield Finding("words-wrong", f"instance {row.id}", "It is not found by its words.")


def _check_profiles(_store: Store, connection: Connection) -> Iterator[Finding]:
    profile, instance = tables.profile, tables.instance
    for row in connection.execute(select(profile)):
        if hashlib.sha256(row.content).hexdigest() != row.sha256:
            yield Finding(
                "profile-wrong",
                f"profile {row.revision} of instance {row.instance_id}",
                "Its bytes are not the ones that were uploaded.",
            )
    current = and_(
        profile.c.instance_id == instance.c.id, profile.c.revision == instance.c.profile_revision
    )
    lost = (
        select(instance.c.id)
        .outerjoin_from(instance, profile, current)
        .where(
            instance.c.profile_revision > 0,
            or_(
                profile.c.revision.is_(None),
                profile.c.fingerprint.is_distinct_from(instance.c.fingerprint),
            ),
        )
    )
    for (instance_id,) in connection.execute(lost):
        yield Finding(
            "profile-wrong",
            f"instance {instance_id}",
            "Its server profile is missing or has another fingerprint.",
        )


def _check_license_files(store: Store, connection: Connection) -> Iterator[Finding]:
    """Make each license file anew and verify it as a reader does."""
    from tui_licenses.documents.license_file import verify_license_file
    from tui_licenses.documents.trust import TrustStore

    try:
        trust = TrustStore((store.signing.trust(),))
    except DocumentError:
        # Told by `_check_signing`; without it nothing can be verified.
        return
    now = store.clock()
    file, instance = tables.license_file, tables.instance
    statement = select(instance, file.c.sha256).join_from(
        instance, file, file.c.instance_id == instance.c.id
    )
    for row in connection.execute(
        statement.where(instance.c.state == InstanceState.LICENSED)
    ).all():
        target = f"license file of instance {row.id}"
        try:
            made = _made_license_file(store, connection, row)
            if made is None:
                continue
            content, sha256 = made
            if sha256 != row.sha256:
                yield Finding("license-file-wrong", target, "It is not the one that was issued.")
            verify_license_file(content, trust, now=now, fingerprint=row.fingerprint)
        except DocumentError as error:
            yield Finding("license-file-wrong", target, error.message)


def _made_license_file(
    store: Store,
    connection: Connection,
    row: Any,  # noqa: ANN401 - a row
) -> tuple[bytes, str] | None:
    """Return the bytes of a license file; None where it has to be issued anew or cannot be."""
    from tui_licenses.api.problems import Problem

    try:
        made = current_license_file(store, connection, row)
    except Problem:
        # The master is suspended: there is no license file to check.
        return None
    return None if made is None else (made.content, made.sha256)


def _check_signing(store: Store, _connection: Connection) -> Iterator[Finding]:
    signing = store.signing
    try:
        trust = signing.trust()
    except DocumentError as error:
        yield Finding("trust-wrong", "trust document", error.message)
        return
    listed = {key.keyid for key in trust.keys}
    if not {signer.public_key.keyid for signer in signing.signers} <= listed:
        yield Finding(
            "trust-wrong", "signing key", "The trust document does not list the signing key."
        )
    if not signing.has_root and signing.files.has_any_root():
        yield Finding(
            "trust-wrong", "root key", "The root key here did not sign the trust document."
        )


_CHECKS: tuple[_Check, ...] = (
    _check_storage,
    _check_signing,
    _check_audit,
    _check_counters,
    _check_tallies,
    _check_sequences,
    _check_instances,
    _check_keys,
    _check_words,
    _check_profiles,
    _check_license_files,
)
