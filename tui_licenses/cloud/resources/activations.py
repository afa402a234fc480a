"""Activations and their previews."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from tui_licenses.api.problems import Problem
from tui_licenses.api.schemas import (
    WireActivation,
    WireActivationPreview,
    WireActivationRequest,
)
from tui_licenses.cloud.http.call import Call, decode_body
from tui_licenses.cloud.http.reply import Reply, json_reply
from tui_licenses.cloud.http.resource import ACTIVATION_BYTES, Cloud, Resource
from tui_licenses.cloud.operations.activation import activate, preview_activation
from tui_licenses.domain.account import Role

# What tells a guesser something: each costs one from the caller's bucket.
_MISSED = frozenset({"key-not-found", "key-not-in-account"})

_PROBLEMS = (
    "unsupported-media-type",
    "instance-not-found",
    "profile-too-large",
    "rate-limited",
)
_KEY_PROBLEMS = (
    "instance-retired",
    "key-format",
    "key-not-found",
    "key-not-in-account",
    "key-revoked",
    "key-suspended",
    "key-superseded",
    "key-already-assigned",
    "key-expired",
    "key-not-yet-valid",
    "master-already-present",
    "master-not-in-account",
    "addon-requires-master",
    "profile-required",
    "profile-invalid",
    "profile-without-identity",
)


def _count_misses(cloud: Cloud, call: Call, codes: Iterable[str]) -> None:
    for code in codes:
        if code in _MISSED:
            cloud.throttles.missed_keys.take(call.signed_in.subject_id, call.now_instant)


def preview(cloud: Cloud, call: Call) -> Reply:
    """Answer what an activation would do."""
    cloud.throttles.missed_keys.check(call.signed_in.subject_id, call.now_instant)
    body = decode_body(call, WireActivationRequest)
    with cloud.store.read() as connection:
        answer = preview_activation(connection, call.author, body)
    _count_misses(cloud, call, (problem.code for problem in answer.problems))
    return json_reply(answer, headers={"Cache-Control": "no-store"})


def create_activation(cloud: Cloud, call: Call, connection: Connection) -> Reply:
    """Activate keys on an instance: 201, or 200 where they are active there already."""
    cloud.throttles.missed_keys.check(call.signed_in.subject_id, call.now_instant)
    body = decode_body(call, WireActivationRequest)
    try:
        outcome = activate(cloud.store, connection, call.author, body)
    except Problem as problem:
        _count_misses(cloud, call, (detail.code for detail in problem.errors))
        raise
    return json_reply(outcome.activation, 201 if outcome.changed else 200)


RESOURCES = (
    Resource(
        "POST",
        "/licensing/activations/preview",
        "What an activation would do",
        WireActivationPreview,
        read=preview,
        request=WireActivationRequest,
        body_bytes=ACTIVATION_BYTES,
        problems=_PROBLEMS,
    ),
    Resource(
        "POST",
        "/licensing/activations",
        "Activate keys on an instance",
        WireActivation,
        change=create_activation,
        role=Role.OPERATOR,
        request=WireActivationRequest,
        statuses=(200, 201),
        body_bytes=ACTIVATION_BYTES,
        problems=_PROBLEMS + _KEY_PROBLEMS,
    ),
)
