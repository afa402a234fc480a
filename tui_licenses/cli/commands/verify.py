"""`inspect` and `verify`: license files, folders and certificate codes, offline."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from tui_licenses import paths
from tui_licenses.cli.facts import Facts, instant, key, text
from tui_licenses.cli.invocation import Invocation, command
from tui_licenses.cli.output import error_record
from tui_licenses.cli.records import certificate_record, license_contents_record
from tui_licenses.errors import Detail, DocumentError, UseError
from tui_licenses.service.folder_check import FileCheck, FolderReport
from tui_licenses.service.license_contents import LicenseFileContents
from tui_licenses.wiring import Services

_LAB = "Signed by a lab cloud: it proves nothing outside that lab."


def register(root: click.Group) -> None:
    """Add the commands of this file."""

    @command(root, "inspect")
    @click.argument("file", type=click.Path(path_type=Path))
    def inspect(invocation: Invocation, file: Path) -> None:
        """Show what a license file says, without checking who signed it."""

        async def read(services: Services) -> LicenseFileContents:
            return services.verification.inspect(file)

        contents = invocation.run(read, asks_cloud=False)
        invocation.output.warn("Not verified: anybody could have written this.")
        if contents.is_lab:
            invocation.output.warn("It names a signing key of a lab cloud.")
        record = license_contents_record(contents, mask=invocation.masks_keys())
        invocation.output.item({**record, "verified": False}, _facts(record))

    @command(root, "verify")
    @click.argument("path", required=False, type=click.Path(path_type=Path), metavar="FILE|DIR")
    @click.option("--certificate-code", metavar="TEXT", help="Verify the code of a certificate.")
    @click.option("--this-host", is_flag=True, help="It must belong to this very host.")
    @click.option("--profile", type=click.Path(path_type=Path), help="… to this server profile.")
    @click.option("--allow-rollback", is_flag=True, help="Accept an older serial; it is logged.")
    def verify(
        invocation: Invocation,
        path: Path | None,
        certificate_code: str | None,
        this_host: bool,
        profile: Path | None,
        allow_rollback: bool,
    ) -> None:
        """Verify a license file, a folder of downloads, or a certificate code, offline."""
        if (path is None) == (certificate_code is None):
            raise _contradiction("Give either FILE or DIR, or --certificate-code.")
        if this_host and profile is not None:
            raise _contradiction("--this-host and --profile exclude each other.")
        if certificate_code is not None:
            _verify_code(invocation, certificate_code)
        elif path is not None:
            _verify_path(invocation, path, this_host, profile, allow_rollback)


def _verify_path(
    invocation: Invocation, path: Path, this_host: bool, profile: Path | None, allow_rollback: bool
) -> None:
    is_folder = paths.is_folder(path)

    async def check(services: Services) -> None:
        verification = services.verification
        fingerprint = None
        if this_host:
            fingerprint = await verification.fingerprint_of_this_host()
        elif profile is not None:
            fingerprint = verification.fingerprint_of_profile(profile)
        if is_folder:
            report = verification.verify_folder(
                path, fingerprint=fingerprint, allow_rollback=allow_rollback
            )
            _show_folder(invocation, report)
            return
        file = verification.verify(path, fingerprint=fingerprint, allow_rollback=allow_rollback)
        record = license_contents_record(file.contents, mask=invocation.masks_keys())
        if file.is_lab:
            invocation.output.warn(_LAB)
        belongs = "checked: it belongs here" if fingerprint else "not asked"
        invocation.output.item(
            {**record, "verified": True, "trust": file.trust_fingerprint},
            [("Signature", "good"), ("Server", belongs), *_facts(record)],
        )

    invocation.run(check, asks_cloud=False)


def _verify_code(invocation: Invocation, code: str) -> None:
    async def check(services: Services) -> dict[str, Any]:
        return certificate_record(services.verification.verify_certificate_code(code))

    record = invocation.run(check, asks_cloud=False)
    if record["isLab"]:
        invocation.output.warn(_LAB)
    invocation.output.item(
        {**record, "verified": True},
        [("Signature", "good"), *((name, text(value)) for name, value in record.items())],
    )


def _show_folder(invocation: Invocation, report: FolderReport) -> None:
    if report.is_lab:
        invocation.output.warn(_LAB)
    unlisted = sum(file.check is FileCheck.UNLISTED for file in report.files)
    if unlisted:
        invocation.output.warn(f"No manifest vouches for {unlisted} of these files.")
    records = [
        {
            "name": file.name,
            "kind": file.kind,
            "check": file.check.value,
            "error": None
            if file.error is None
            else error_record(file.error.code, file.error.message, file.error.next_step),
        }
        for file in report.files
    ]
    if report.is_good:
        invocation.output.items(records, _FOLDER_COLUMNS, isLab=report.is_lab)
        return
    invocation.output.outcomes(records, _FOLDER_COLUMNS)
    details = tuple(
        Detail(file.name, file.error.code, file.error.message)
        for file in report.files
        if file.error is not None and file.is_wrong
    )
    raise DocumentError(
        details[0].code,
        "Not everything in this folder could be verified.",
        "Download the named files again (`download license … --force` replaces older ones), and "
        "remove those that were saved under an older name.",
        details=details,
    )


_FOLDER_COLUMNS = (
    ("CHECK", lambda record: record["check"]),
    ("KIND", lambda record: record["kind"]),
    ("NAME", lambda record: record["name"]),
)


def _facts(record: dict[str, Any]) -> Facts:
    return [
        ("Contents", record["contains"]),
        *(("Key", _key_line(item)) for item in record["keys"]),
        ("Instance", record["instanceId"]),
        ("Issuer", record["issuer"]),
        ("Serial", text(record["serial"])),
        ("Issued", instant(record["issuedAt"])),
        ("SHA-256", record["sha256"]),
    ]


def _key_line(item: dict[str, Any]) -> str:
    ends = item["validTo"]
    line = f"{key(item['key'])}  {item['productCode']}  "
    if ends is None:
        return f"{line}without an end"
    has_ended = datetime.fromisoformat(ends) < datetime.now(UTC)
    return f"{line}{'ended' if has_ended else 'until'} {instant(ends)}"


def _contradiction(message: str) -> UseError:
    return UseError("invalid-request", message, "See `tui-licenses verify --help`.")
