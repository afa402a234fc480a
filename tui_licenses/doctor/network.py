"""The way to a served license cloud: address, proxy, trust in its certificate, its clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from tui_licenses.api.faults import Endpoint
from tui_licenses.api.schemas import BASE_PATH
from tui_licenses.api.transport import Answer, Request, Transport
from tui_licenses.config import Context
from tui_licenses.doctor.finding import Finding, Severity, fault, fine, skipped, warning
from tui_licenses.errors import TuiLicensesError, UnavailableError

_ENDPOINT = "Endpoint"
_PROXY = "Proxy"
_TLS = "TLS trust"
_CLOCK = "Clock difference"

_CLOCK_WARNED = timedelta(seconds=30)
# Beyond it the dates of license files cannot be judged (docs/license-file.md).
_CLOCK_REFUSED = timedelta(seconds=300)
_OK = 200


async def examine_network(
    context: Context, clock: Callable[[], datetime]
) -> AsyncIterator[Finding]:
    """Ask a cloud for its health, without a sign-in, and say what lies on the way to it."""
    assert context.url is not None
    endpoint = Endpoint.of(context.url)
    yield _examine_proxy(endpoint)
    yield _tls_trust(context, endpoint)
    transport = Transport(context.url, ca_file=context.ca_file)
    try:
        async with transport.stream(Request("GET", f"{BASE_PATH}/health")) as streamed:
            answer = await streamed.whole()
        now = clock()
    except TuiLicensesError as error:
        yield fault(_ENDPOINT, error)
        yield skipped(_CLOCK, "The cloud could not be asked for the time.")
        return
    finally:
        await transport.aclose()
    yield _examine_answer(endpoint, answer)
    yield _examine_clock(answer, now)


def _examine_proxy(endpoint: Endpoint) -> Finding:
    proxy = endpoint.proxy()
    if proxy is None:
        return fine(_PROXY, f"None is used for {endpoint.host}.")
    return fine(_PROXY, f"{proxy} is asked to reach {endpoint.host}.", proxy=proxy)


def _tls_trust(context: Context, endpoint: Endpoint) -> Finding:
    if not endpoint.is_tls:
        return fine(_TLS, "Not needed: the address is a loopback address of this host.")
    if context.ca_file is not None:
        return fine(_TLS, f"The certificates in {context.ca_file}.", store=str(context.ca_file))
    return fine(_TLS, "The certificates in the store of this system.", store="system")


def _examine_answer(endpoint: Endpoint, answer: Answer) -> Finding:
    if answer.status == _OK:
        return fine(_ENDPOINT, f"A license cloud answers on {endpoint.base_url}.")
    return fault(
        _ENDPOINT,
        UnavailableError(
            "unavailable",
            f"{endpoint.host} answers, but not as a license cloud that is ready "
            f"(status {answer.status}).",
            "Check the address; if it is right, ask whoever runs the cloud.",
        ),
    )


def _examine_clock(answer: Answer, now: datetime) -> Finding:
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
        difference = now - theirs
    except (ValueError, TypeError):
        return skipped(_CLOCK, "The cloud does not tell its time.")
    seconds = round(abs(difference.total_seconds()))
    direction = "ahead of" if difference > timedelta() else "behind"
    if abs(difference) <= _CLOCK_WARNED:
        return fine(_CLOCK, f"{seconds} s {direction} the cloud.", seconds=str(seconds))
    remedy = "Set the clock of this host (`timedatectl`, chrony), or ask whoever runs the cloud."
    if abs(difference) <= _CLOCK_REFUSED:
        message = f"The clock of this host is {seconds} s {direction} that of the cloud."
        return warning(_CLOCK, "clock-wrong", message, remedy)
    return Finding(
        _CLOCK,
        Severity.FAULT,
        f"The clock of this host is {seconds} s {direction} that of the cloud: "
        "the dates of license files cannot be judged.",
        remedy,
        "clock-wrong",
    )
