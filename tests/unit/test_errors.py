"""Every error has a code, a sentence, a next step and one exit status."""

from __future__ import annotations

import pytest

from tui_licenses import errors
from tui_licenses.errors import Detail, NotAllowedError, TuiLicensesError, UnavailableError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.UnexpectedError, 1),
        (errors.UseError, 2),
        (errors.SignInError, 3),
        (errors.NotFoundError, 4),
        (errors.StateError, 5),
        (errors.NotAllowedError, 6),
        (errors.UnavailableError, 7),
        (errors.DocumentError, 8),
        (errors.PartialFailureError, 9),
        (errors.FileError, 10),
    ],
)
def test_each_kind_of_error_has_its_exit_status(error: type[TuiLicensesError], status: int) -> None:
    assert error("code", "Sentence.").exit_status == status


def test_an_error_reads_as_its_sentence_and_its_next_step() -> None:
    assert str(TuiLicensesError("a-code", "It broke.", "Mend it.")) == "It broke. Mend it."
    assert str(TuiLicensesError("a-code", "It broke.")) == "It broke."


def test_an_error_carries_its_parts_and_the_request() -> None:
    detail = Detail("/keys/0", "key-expired", "Expired.")
    error = TuiLicensesError("a", "b", details=(detail,), request_id="r")
    assert (error.details, error.request_id) == ((detail,), "r")


def test_what_only_some_errors_know_is_absent_by_default() -> None:
    assert UnavailableError("a", "b").retry_after_seconds is None
    refused = NotAllowedError("a", "b")
    assert (refused.plan, refused.support_contact) == (None, None)
