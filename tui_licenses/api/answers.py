"""Answers of a license cloud: typed values, or the error that a problem document stands for."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from tui_licenses.api.faults import unexpected_answer
from tui_licenses.api.problems import MEDIA_TYPE, PROBLEM_CODES, ProblemDocument, error_for
from tui_licenses.api.retries import retry_after_seconds
from tui_licenses.api.schemas import WireInstance
from tui_licenses.api.transport import Answer
from tui_licenses.domain.instance import Instance
from tui_licenses.errors import (
    Detail,
    NotAllowedError,
    StateError,
    TuiLicensesError,
    UnavailableError,
)
from tui_licenses.text import clean, shorten

Value = TypeVar("Value")

_JSON = "application/json"
_SHOWN_CELLS = 40
_MINUTE = 60

_PROXY_AUTHENTICATION_REQUIRED = 407


class RevisionConflictError(StateError):
    """Somebody else changed the instance meanwhile (`revision-mismatch`): see `current`."""

    def __init__(
        self,
        code: str,
        message: str,
        next_step: str = "",
        *,
        current: Instance,
        details: tuple[Detail, ...] = (),
        request_id: str | None = None,
    ) -> None:
        super().__init__(code, message, next_step, details=details, request_id=request_id)
        self.current = current


def decode(answer: Answer, wanted: type[Value]) -> Value:
    """Return the typed value of an answer.

    Raises the error of its problem document, or `UnavailableError` (`unexpected-answer`).
    """
    media_type = media_type_of(check(answer))
    if media_type != _JSON:
        shown = shorten(clean(media_type), _SHOWN_CELLS) or "nothing it names"
        raise unexpected_answer(f"Something answered with {shown} where a license cloud has JSON.")
    return decode_json(answer.body, wanted)


def decode_json(data: bytes | msgspec.Raw, wanted: type[Value]) -> Value:
    """Return JSON as a typed value; raises `UnavailableError` (`unexpected-answer`)."""
    try:
        return msgspec.json.decode(data, type=wanted)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = clean(str(error)) if isinstance(error, msgspec.ValidationError) else "no JSON"
        raise unexpected_answer(
            f"The license cloud answered something this program does not understand ({reason})."
        ) from error


def check(answer: Answer) -> Answer:
    """Return an answer that is a success; raises the error of any other."""
    if 200 <= answer.status < 300:
        return answer
    raise error_of(answer)


def media_type_of(answer: Answer) -> str:
    """Return what an answer says it is, without its parameters."""
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()


def error_of(answer: Answer) -> TuiLicensesError:
    """Return the error for an answer that is no success."""
    if media_type_of(answer) != MEDIA_TYPE:
        return _error_without_problem(answer)
    try:
        problem = msgspec.json.decode(answer.body, type=ProblemDocument)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _error_without_problem(answer)
    error = error_for(
        problem.code,
        clean(problem.detail),
        details=tuple(
            Detail(clean(part.pointer), clean(part.code), clean(part.detail))
            for part in problem.errors
        ),
        request_id=None if problem.request_id is None else clean(problem.request_id),
    )
    if isinstance(error, NotAllowedError):
        error.plan = problem.plan
        error.support_contact = problem.support_contact
    if isinstance(error, UnavailableError):
        _note_pause(error, answer)
    if error.code == "revision-mismatch":
        return _conflict(error, problem)
    return error


def _conflict(error: TuiLicensesError, problem: ProblemDocument) -> TuiLicensesError:
    try:
        current = decode_json(problem.current, WireInstance).to_domain()
    except UnavailableError as unexpected:
        return unexpected
    return RevisionConflictError(
        error.code,
        error.message,
        error.next_step,
        current=current,
        details=error.details,
        request_id=error.request_id,
    )


def _error_without_problem(answer: Answer) -> TuiLicensesError:
    """Something between us and the cloud answered, or the cloud in its distress."""
    if answer.status == _PROXY_AUTHENTICATION_REQUIRED:
        return UnavailableError(
            "proxy-refused",
            "The proxy on the way to the license cloud wants a sign-in.",
            "Check HTTPS_PROXY and its sign-in.",
        )
    code = {429: "rate-limited", 500: "internal", 502: "unavailable", 503: "unavailable"}
    known = PROBLEM_CODES.get(code.get(answer.status, ""))
    if known is None:
        return unexpected_answer(
            f"The answer with status {answer.status} does not come from a license cloud."
        )
    error = UnavailableError(known.code, f"{known.title}.", known.next_step)
    _note_pause(error, answer)
    return error


def _note_pause(error: UnavailableError, answer: Answer) -> None:
    """Say how long the cloud wants to be left alone, where it says so."""
    seconds = retry_after_seconds(answer.headers)
    error.retry_after_seconds = seconds
    if seconds:
        error.next_step = f"Try again in {_duration(seconds)}."


def _duration(seconds: int) -> str:
    if seconds < _MINUTE:
        return "a second" if seconds == 1 else f"{seconds} seconds"
    minutes = -(-seconds // _MINUTE)
    return "a minute" if minutes == 1 else f"{minutes:,} minutes"
