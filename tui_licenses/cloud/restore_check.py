"""What has to hold before a backup may take the place of a database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from tui_licenses.cloud import tables
from tui_licenses.cloud.backup import backed_up_columns
from tui_licenses.cloud.backup_file import BackupReader, Header, damaged
from tui_licenses.cloud.operations.license_files import serial_floor
from tui_licenses.cloud.settings import read_setting
from tui_licenses.cloud.signing_keys import read_documents, replay
from tui_licenses.documents.envelope import TRUST, Envelope, open_envelope
from tui_licenses.documents.signing import PublicKey
from tui_licenses.documents.trust import SigningKeyStatus
from tui_licenses.errors import Detail, DocumentError, StateError, UseError


@dataclass(frozen=True, slots=True)
class PresentState:
    """What the database that is to be replaced has given out: none of it may be taken back.

    `heads` are the number and the link of the last event of each account, `serials` those of the
    license files by instance; `serial_floor` is the one that an earlier restore began above.
    """

    documents: tuple[str, ...]
    is_lab: bool
    heads: dict[str, tuple[int, str]]
    serials: dict[str, int]
    serial_floor: int

    @property
    def highest_serial(self) -> int:
        """Return the highest serial that any instance has got."""
        return max((self.serial_floor, *self.serials.values()))


def read_present_state(connection: Connection) -> PresentState:
    """Return what a database has given out."""
    account, file = tables.account, tables.license_file
    heads = connection.execute(select(account.c.id, account.c.event_count, account.c.event_head))
    serials = connection.execute(select(file.c.instance_id, file.c.serial))
    return PresentState(
        read_documents(connection),
        read_setting(connection, "lab") == "true",
        {account_id: (count, head) for account_id, count, head in heads},
        dict(serials.all()),
        serial_floor(connection),
    )


@dataclass(slots=True)
class BackupContent:
    """What a backup says of the same things, and how many rows it has.

    `serial_floor` is the serial that an earlier restore began above.
    """

    row_count: int = 0
    serial_floor: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    links: dict[tuple[str, int], str] = field(default_factory=dict)
    serials: dict[str, int] = field(default_factory=dict)

    @property
    def highest_serial(self) -> int:
        """Return the highest serial that any instance had got."""
        return max((self.serial_floor, *self.serials.values()))


def read_content(reader: BackupReader, present: PresentState | None) -> BackupContent:
    """Read a backup to its end; of the links only those of the present heads are kept.

    Raises `DocumentError` (`backup-damaged`).
    """
    wanted = set() if present is None else {(key, head[0]) for key, head in present.heads.items()}
    content = BackupContent()
    try:
        for table, row in reader.rows():
            content.row_count += 1
            if table == tables.cloud_setting.name:
                content.settings[row["name"]] = row["value"]
            elif table == tables.license_file.name:
                content.serials[row["instance_id"]] = int(row["serial"])
            elif table == tables.event.name and (row["account_id"], row["sequence"]) in wanted:
                content.links[row["account_id"], row["sequence"]] = row["link"]
        content.serial_floor = int(content.settings.get("serial_floor", 0))
    except (KeyError, TypeError, ValueError) as error:
        raise damaged("a row has values of another kind") from error
    return content


def check_signer(
    reader: BackupReader, own: Iterable[PublicKey], present: PresentState | None
) -> None:
    """Check that this very cloud has signed a backup; `own` are public keys known to be its own.

    Raises `DocumentError` (`backup-damaged`, `backup-foreign`, `signing-key-revoked`).
    """
    documents = tuple(reader.header.trust)
    is_lab = present is not None and present.is_lab
    try:
        trust = replay(documents, is_lab=is_lab)
        vouching = open_envelope(trust.document, TRUST)
    except (DocumentError, UnicodeError) as error:
        raise damaged("its trust documents do not lead from one to the next") from error
    listed = {key.keyid: key for key in trust.keys}
    message = reader.envelope.signed_bytes
    for signature in reader.envelope.signatures:
        key = listed.get(signature.keyid)
        if key is None or not key.public_key.is_signature(signature.value, message):
            raise damaged("its signature is false")
    keyids = {signature.keyid for signature in reader.envelope.signatures}
    revoked = {key.keyid for key in trust.keys if key.status is SigningKeyStatus.REVOKED}
    known = set(own)
    if present is not None:
        latest = replay(present.documents, is_lab=is_lab)
        known |= set(latest.roots)
        revoked |= {key.keyid for key in latest.keys if key.status is SigningKeyStatus.REVOKED}
        _check_same_cloud(documents, present.documents)
    if keyids & revoked:
        raise DocumentError(
            "signing-key-revoked",
            "The backup is signed with a key that was revoked.",
            "Use a backup that was made after the revocation.",
        )
    if not any(_has_signed(key, reader.envelope) or _has_signed(key, vouching) for key in known):
        raise _foreign("none of the keys that are here has signed it or vouches for it")


def _has_signed(key: PublicKey, envelope: Envelope) -> bool:
    """Say whether a key has signed: anybody can list a public key, only its owner sign with it."""
    return any(
        signature.keyid == key.keyid and key.is_signature(signature.value, envelope.signed_bytes)
        for signature in envelope.signatures
    )


def _check_same_cloud(theirs: tuple[str, ...], ours: tuple[str, ...]) -> None:
    common = min(len(theirs), len(ours))
    if theirs[:common] != ours[:common]:
        raise _foreign("its trust documents are not those of this cloud")


def _foreign(reason: str) -> DocumentError:
    return DocumentError(
        "backup-foreign",
        f"The backup is of another license cloud: {reason}.",
        "Check the file and the database; where the database is lost, put its .key files back"
        " or give `--root-key`.",
    )


def check_schema(header: Header, own: str) -> None:
    """Raise `UseError` (`backup-newer`) for a backup of a newer program.

    Raises `DocumentError` (`backup-damaged`) for one of this program with other tables.
    """
    if header.schema > own:
        raise UseError(
            "backup-newer",
            f"The backup was made by a newer version: schema {header.schema}, not {own}.",
            "Update tui-licenses on this host, then restore.",
        )
    if header.schema == own and header.tables != backed_up_columns():
        raise damaged("its tables are not those of its schema")


def behind(content: BackupContent, reader: BackupReader, present: PresentState) -> list[Detail]:
    """Return what the present database has given out and the backup does not know."""
    found = []
    ours, theirs = len(present.documents), len(reader.header.trust)
    if theirs < ours:
        message = f"The backup has trust document {theirs}; {ours} is in force."
        found.append(Detail("trust document", "trust-lowered", message))
    for account_id, (count, head) in sorted(present.heads.items()):
        if count and content.links.get((account_id, count)) != head:
            message = f"The backup does not have its event {count}, the last one."
            found.append(Detail(f"account {account_id}", "audit-cut", message))
    for instance_id, serial in sorted(present.serials.items()):
        known = max(content.serials.get(instance_id, 0), content.serial_floor)
        if known < serial:
            message = f"The backup has its license file {known}; {serial} was issued."
            found.append(Detail(f"instance {instance_id}", "serial-lowered", message))
    return found


def refuse_behind(found: list[Detail]) -> None:
    """Raise `StateError` (`backup-behind`) where anything would be lost."""
    if found:
        raise StateError(
            "backup-behind",
            "The database has changes that the backup does not have; they would be lost.",
            "Restore a later backup; or accept the loss with `--discard-newer`: serials and the"
            " trust document are not lowered then either.",
            details=tuple(found),
        )
