"""Every error a user can meet, as one tree.

    TuiLicensesError
    ├── UseError              2   the request itself is wrong
    │   └── KeyFormatError    5   a typed text is no license key
    ├── SignInError           3   no valid sign-in
    ├── NotFoundError         4   no such thing in this account
    ├── StateError            5   the thing is not in a state that allows this
    ├── NotAllowedError       6   plan, role or ownership forbids it
    ├── UnavailableError      7   network or cloud did not answer usefully
    │   └── OutcomeUnknownError   a change was sent and no answer came
    ├── DocumentError         8   a document is damaged, forged or not for here
    │   └── ProfileError      5   a server profile cannot be activated with
    ├── PartialFailureError   9   some items of a bulk action failed
    ├── FileError            10   a local file or folder refused
    └── InterruptionError   130   Ctrl-C

Each error carries a stable `code`, a sentence that tells what happened, and a next step.
The exit statuses are those of `docs/exit-codes.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from tui_licenses.secret import redact


@dataclass(frozen=True, slots=True)
class Detail:
    """One part of a larger error: where it is (a JSON pointer or a name), its code and sentence."""

    pointer: str
    code: str
    message: str


class TuiLicensesError(Exception):
    """Base of every error that is reported to a user.

    `code` is lower-case words joined by hyphens, `message` a sentence that says what happened,
    `next_step` a sentence that says what to do now, `details` the problems of single parts.
    """

    exit_status: ClassVar[int] = 1

    def __init__(
        self,
        code: str,
        message: str,
        next_step: str = "",
        *,
        details: tuple[Detail, ...] = (),
        request_id: str | None = None,
    ) -> None:
        # Whatever was typed, answered or read may stand in a sentence; a secret never does.
        self.message = redact(message)
        super().__init__(self.message)
        self.code = code
        self.next_step = redact(next_step)
        self.details = tuple(
            replace(detail, pointer=redact(detail.pointer), message=redact(detail.message))
            for detail in details
        )
        self.request_id = request_id

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()


class UnexpectedError(TuiLicensesError):
    """Something that should not happen: reported without a traceback, logged with one."""


class InterruptionError(TuiLicensesError):
    """Interrupted by Ctrl-C; nothing was left half-written."""

    exit_status = 130


class UseError(TuiLicensesError):
    """The request itself is wrong: a malformed argument, a missing terminal, an unknown name."""

    exit_status = 2


class KeyFormatError(UseError):
    """A typed text is no license key (`key-format`); the cloud's answer has the same status."""

    exit_status = 5


class SignInError(TuiLicensesError):
    """There is no valid sign-in for the cloud account."""

    exit_status = 3


class NotFoundError(TuiLicensesError):
    """No such object in this account."""

    exit_status = 4


class StateError(TuiLicensesError):
    """The object is not in a state that allows the request, or it changed meanwhile."""

    exit_status = 5


class NotAllowedError(TuiLicensesError):
    """The plan, the role or the ownership of a key forbids the request."""

    exit_status = 6

    support_contact: str | None = None
    plan: str | None = None


class UnavailableError(TuiLicensesError):
    """The cloud could not be reached, or it answered that it cannot serve now."""

    exit_status = 7

    retry_after_seconds: int | None = None


class OutcomeUnknownError(UnavailableError):
    """A change was sent and no answer came: it may have been done (`outcome-unknown`).

    `what` is what a user calls the change, `reason` why there is no answer.
    """

    def __init__(self, what: str, reason: str, next_step: str) -> None:
        super().__init__(
            "outcome-unknown", f"It is not known whether this was done: {what}. {reason}", next_step
        )
        self.what = what
        self.reason = reason


class DocumentError(TuiLicensesError):
    """A license file, profile, certificate or manifest is damaged, forged or not for here."""

    exit_status = 8


class ProfileError(DocumentError):
    """A server profile cannot be activated with; the cloud's answer has the same status."""

    exit_status = 5


class PartialFailureError(TuiLicensesError):
    """Some items of a bulk action failed, or `doctor` found faults; `details` lists them."""

    exit_status = 9


class FileError(TuiLicensesError):
    """A local file or folder could not be read or written."""

    exit_status = 10
