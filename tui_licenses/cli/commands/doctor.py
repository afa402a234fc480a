"""`doctor`: what is wrong here, and what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from tui_licenses.cli.invocation import Invocation, command
from tui_licenses.cli.output import Format
from tui_licenses.config import Configuration
from tui_licenses.doctor.bundle import finding_record, write_bundle
from tui_licenses.doctor.finding import Finding, Severity
from tui_licenses.errors import PartialFailureError, UseError

_COLUMNS = (
    ("", lambda record: record["severity"]),
    ("SUBJECT", lambda record: record["subject"]),
    ("FINDING", lambda record: record["message"]),
)


def register(root: click.Group) -> None:
    """Add the command of this file."""

    @command(root, "doctor")
    @click.option(
        "--bundle",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write what was found to a file for support; it holds no secret.",
    )
    def doctor(invocation: Invocation, bundle: Path | None) -> None:
        """Look at everything the program needs here, and say what to do.

        Nothing is mended, migrated or trusted. Exit status 9 where a fault was found; warnings
        alone exit with 0.
        """
        findings = asyncio.run(_examined(invocation))
        if bundle is not None:
            write_bundle(bundle, findings, _configuration(invocation), invocation.now())
            invocation.output.note(f"Written for support: {bundle}. Read it before you send it.")
        _show(invocation, findings)


async def _examined(invocation: Invocation) -> list[Finding]:
    from tui_licenses.doctor.examination import examine

    return [finding async for finding in examine(invocation.context_name, invocation.environment)]


def _configuration(invocation: Invocation) -> Configuration:
    with suppress(UseError):
        return invocation.configuration()
    return Configuration()


def _show(invocation: Invocation, findings: Sequence[Finding]) -> None:
    faults = [finding for finding in findings if finding.severity is Severity.FAULT]
    records = [finding_record(finding) for finding in findings]
    output = invocation.output
    if output.format is Format.TABLE:
        for finding in findings:
            label = f"{finding.severity:<7}  {finding.subject}"
            output.paragraph(f"{label:<25}", f"{finding.message} {finding.next_step}".rstrip())
    elif faults:
        output.outcomes(records, _COLUMNS)
    else:
        output.items(records, _COLUMNS)
    if faults:
        raise PartialFailureError(
            "faults-found",
            "One fault was found." if len(faults) == 1 else f"{len(faults)} faults were found.",
            "Do what is said beside each, and run `tui-licenses doctor` again.",
        )
