"""What an examination says: one sentence a finding, and a remedy where something is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tui_licenses.errors import TuiLicensesError


class Severity(StrEnum):
    """How much a finding matters: a fault stops work, a warning may, the rest is for reading."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one subject; `code` names a fault or a warning, `facts` are for
    support and hold nothing secret."""

    subject: str
    severity: Severity
    message: str
    next_step: str = ""
    code: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


def fine(subject: str, message: str, **facts: str) -> Finding:
    """Return a finding that needs nothing done."""
    return Finding(subject, Severity.OK, message, facts=facts)


def skipped(subject: str, message: str) -> Finding:
    """Return what to say of a subject that could not or need not be looked at."""
    return Finding(subject, Severity.SKIPPED, message)


def warning(subject: str, code: str, message: str, next_step: str) -> Finding:
    """Return a finding that stops nothing yet."""
    return Finding(subject, Severity.WARNING, message, next_step, code)


def fault(subject: str, error: TuiLicensesError) -> Finding:
    """Return an error that the program would end with, as a finding."""
    return Finding(subject, Severity.FAULT, error.message, error.next_step, error.code)
