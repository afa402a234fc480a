"""Every problem code of docs/protocol.md: HTTP status, title, error class and next step.

The cloud answers with these codes; the client turns each into one error of `errors.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tui_licenses.api.schemas import Wire, WireDetail, json_null
from tui_licenses.errors import (
    Detail,
    NotAllowedError,
    NotFoundError,
    SignInError,
    StateError,
    TuiLicensesError,
    UnavailableError,
    UnexpectedError,
    UseError,
)

TYPE_PREFIX = "urn:tui-licenses:problem:"
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemCode:
    """What is fixed for one problem code."""

    code: str
    status: int
    title: str
    error: type[TuiLicensesError]
    next_step: str


_ASK_SUPPORT = "Try again; if it stays, give the request id to whoever runs the license cloud."

PROBLEM_CODES: dict[str, ProblemCode] = {
    problem.code: problem
    for problem in (
        ProblemCode(
            "invalid-request",
            400,
            "The request is not valid",
            UseError,
            "Correct what the message names and try again.",
        ),
        ProblemCode(
            "unknown-parameter",
            400,
            "The request has an unknown parameter",
            UseError,
            "Leave the named parameter out; this cloud may be older than this program.",
        ),
        ProblemCode(
            "invalid-cursor",
            400,
            "The list cursor is not valid",
            UseError,
            "Refresh the list from its start.",
        ),
        ProblemCode(
            "idempotency-key-missing",
            400,
            "The request has no Idempotency-Key",
            UseError,
            "Send an Idempotency-Key with every request that changes something.",
        ),
        ProblemCode(
            "profile-too-large",
            413,
            "The body is too large",
            UseError,
            "Send a server profile of at most 1 MiB.",
        ),
        ProblemCode(
            "unsupported-media-type",
            415,
            "The media type is not supported",
            UseError,
            "Send JSON, or XML for a server profile.",
        ),
        ProblemCode(
            "if-match-required",
            428,
            "The request has no If-Match",
            UseError,
            "Read the object first and send its ETag as If-Match.",
        ),
        ProblemCode(
            "token-missing", 401, "Not signed in", SignInError, "Sign in with `tui-licenses login`."
        ),
        ProblemCode(
            "token-invalid",
            401,
            "The access token is not valid",
            SignInError,
            "Sign in again with `tui-licenses login`.",
        ),
        ProblemCode(
            "token-expired",
            401,
            "The access token has expired",
            SignInError,
            "Sign in again with `tui-licenses login`.",
        ),
        ProblemCode(
            "invalid-refresh-token",
            401,
            "The sign-in is not valid",
            SignInError,
            "Check the subject id and refresh token, then sign in again with `tui-licenses login`.",
        ),
        ProblemCode(
            "plan-not-eligible",
            403,
            "The plan has no Licenses tab",
            NotAllowedError,
            "Ask your support or sales contact to move the account to a plan that has it.",
        ),
        ProblemCode(
            "role-insufficient",
            403,
            "The role does not allow this",
            NotAllowedError,
            "Ask an administrator of the account, or sign in with a token of a higher role.",
        ),
        ProblemCode(
            "key-not-in-account",
            403,
            "The key belongs to another account",
            NotAllowedError,
            "Sign in to the account that owns the key, or ask its owner to activate it.",
        ),
        ProblemCode(
            "master-not-in-account",
            403,
            "The master key belongs to another account",
            NotAllowedError,
            "Sign in to the account that owns the instance's master key; add-ons can be activated only from there.",
        ),
        ProblemCode(
            "not-found",
            404,
            "Not found",
            NotFoundError,
            "Check the address of the license cloud and the id.",
        ),
        ProblemCode(
            "instance-not-found",
            404,
            "No such instance",
            NotFoundError,
            "List the instances with `tui-licenses instances list`.",
        ),
        ProblemCode(
            "key-not-found",
            404,
            "No such license key",
            NotFoundError,
            "Check the key against the order confirmation, or list keys with `tui-licenses keys list`.",
        ),
        ProblemCode(
            "profile-not-found",
            404,
            "The instance has no server profile",
            NotFoundError,
            "Upload one with `tui-licenses instances profile ID --set FILE`.",
        ),
        ProblemCode(
            "method-not-allowed",
            405,
            "The method is not allowed here",
            NotFoundError,
            "Check the address of the license cloud.",
        ),
        ProblemCode(
            "range-not-satisfiable",
            416,
            "The range is not in the file",
            NotFoundError,
            "Download the file again from its start.",
        ),
        ProblemCode(
            "key-already-assigned",
            409,
            "The key is used on another instance",
            StateError,
            "Use another key, or release this one from its instance first.",
        ),
        ProblemCode(
            "master-already-present",
            409,
            "The instance has a master key",
            StateError,
            "Replace it explicitly (`--replace-master`), or activate on another instance.",
        ),
        ProblemCode(
            "addon-requires-master",
            409,
            "An add-on needs a master key",
            StateError,
            "Activate a master key first, or together with the add-on.",
        ),
        ProblemCode(
            "no-master",
            409,
            "The instance has no active master key",
            StateError,
            "Activate a master key for this instance first.",
        ),
        ProblemCode(
            "request-in-progress",
            409,
            "The same request is being worked on",
            UnavailableError,
            "Wait a moment, then look whether it has been done.",
        ),
        ProblemCode(
            "key-revoked",
            410,
            "The key is revoked",
            StateError,
            "Use another key; ask your sales contact why this one was revoked.",
        ),
        ProblemCode(
            "revision-mismatch",
            412,
            "Somebody else changed it meanwhile",
            StateError,
            "Look at both values and decide which one to keep.",
        ),
        ProblemCode(
            "key-format",
            422,
            "This is no license key",
            StateError,
            "Type the 16 letters and digits of the key again.",
        ),
        ProblemCode(
            "key-expired",
            422,
            "The key has expired",
            StateError,
            "Use another key or have this one renewed.",
        ),
        ProblemCode(
            "profile-invalid",
            422,
            "The server profile is not valid",
            StateError,
            "Make a new profile on the server with `tui-licenses profile`.",
        ),
        ProblemCode(
            "profile-required",
            422,
            "A server profile is required",
            StateError,
            "Give one with `--profile FILE`, or `--this-host` on the server itself.",
        ),
        ProblemCode(
            "profile-without-identity",
            422,
            "The server profile has no identity",
            StateError,
            "Make a new profile on the server itself with `tui-licenses profile`.",
        ),
        ProblemCode(
            "idempotency-key-reused",
            422,
            "The Idempotency-Key was used for another request",
            StateError,
            "Send the request again with a new Idempotency-Key.",
        ),
        ProblemCode(
            "key-suspended",
            422,
            "The key is suspended",
            StateError,
            "Ask your sales contact to have it reinstated.",
        ),
        ProblemCode(
            "key-superseded",
            422,
            "The key was replaced by another",
            StateError,
            "Use the key that replaced it.",
        ),
        ProblemCode(
            "key-not-yet-valid",
            422,
            "The key is not valid yet",
            StateError,
            "Activate it on or after its start date.",
        ),
        ProblemCode(
            "instance-retired",
            422,
            "The instance is retired",
            StateError,
            "Choose another instance.",
        ),
        ProblemCode(
            "release-would-orphan-addons",
            422,
            "Add-ons depend on this master key",
            StateError,
            "Release its add-ons too (`--cascade`), or release them first.",
        ),
        ProblemCode(
            "rate-limited",
            429,
            "Too many requests",
            UnavailableError,
            "Wait a little and try again.",
        ),
        ProblemCode("internal", 500, "The license cloud failed", UnavailableError, _ASK_SUPPORT),
        ProblemCode(
            "unavailable",
            503,
            "The license cloud is not ready",
            UnavailableError,
            "Wait a little and try again.",
        ),
    )
}


class ProblemDocument(Wire):
    """An RFC 9457 problem; `current` is the object as it is now, with `revision-mismatch`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    message: str
    request_id: str | None = None
    errors: list[WireDetail] = msgspec.field(default_factory=list)
    current: msgspec.Raw = msgspec.field(default_factory=json_null)
    support_contact: str | None = None
    plan: str | None = None


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """Raised inside the cloud to answer with a problem document.

    `current` holds JSON members of the object as it is now (`revision-mismatch`); `members` are
    extension members of the document such as `supportContact`.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: tuple[Detail, ...] = (),
        members: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem_code = PROBLEM_CODES[code]
        self.detail = detail
        self.errors = errors
        self.members = members or {}
        self.headers = headers or {}


def error_for(
    code: str,
    message: str,
    *,
    details: tuple[Detail, ...] = (),
    request_id: str | None = None,
) -> TuiLicensesError:
    """Return the error for a problem code; an unknown code is an `UnexpectedError`."""
    problem = PROBLEM_CODES.get(code)
    if problem is None:
        return UnexpectedError(
            "unknown-answer",
            message or "The license cloud answered something this program does not know.",
            _ASK_SUPPORT,
            details=details,
            request_id=request_id,
        )
    return problem.error(
        code,
        message or f"{problem.title}.",
        problem.next_step,
        details=details,
        request_id=request_id,
    )
