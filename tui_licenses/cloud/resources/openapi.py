"""The OpenAPI 3.1 document of the contract, made from the resources and their schemas."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec

from tui_licenses import __version__
from tui_licenses.api.problems import MEDIA_TYPE, PROBLEM_CODES, TYPE_PREFIX, ProblemDocument
from tui_licenses.api.schemas import BASE_PATH
from tui_licenses.cloud.http.call import Call
from tui_licenses.cloud.http.reply import Reply, conditional, json_reply
from tui_licenses.cloud.http.resource import Access, Cloud, Resource
from tui_licenses.cloud.resources.openapi_headers import (
    EVERY_ANSWER,
    FILE_HEADERS,
    HEADERS,
    PROBLEM_HEADERS,
    header_references,
    is_file,
    parameters,
)

_REFERENCE = "#/components/schemas/{name}"
_WORD = re.compile(r"\w+")
_JSON = "application/json"

# What every resource of this kind may answer beside its own problems.
_ACCESS_PROBLEMS = {
    Access.OPEN: (),
    Access.SIGNED_IN: ("token-missing", "token-invalid", "token-expired"),
    Access.LICENSES: ("token-missing", "token-invalid", "token-expired", "plan-not-eligible"),
}
_ALL_PROBLEMS = (
    "invalid-request",
    "unknown-parameter",
    "profile-too-large",
    "internal",
    "unavailable",
)
_CHANGE_PROBLEMS = (
    "idempotency-key-missing",
    "idempotency-key-reused",
    "request-in-progress",
    "role-insufficient",
)


@cache
def build_document() -> dict[str, Any]:
    """Return the document; it depends on this version of the program only."""
    from tui_licenses.cloud.resources.every import RESOURCES

    types = [
        entry
        for resource in RESOURCES
        for entry in (resource.answer, resource.request)
        if isinstance(entry, type)
    ]
    ordered = list(dict.fromkeys([*types, ProblemDocument]))
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_REFERENCE)
    references = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for resource in RESOURCES:
        operation = _operation(resource, references)
        paths.setdefault(BASE_PATH + resource.path, {})[resource.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "License cloud", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": components,
            "headers": HEADERS,
            "securitySchemes": {"accessToken": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(resource: Resource, references: dict[Any, Any]) -> dict[str, Any]:
    answers = {
        str(status): _good_answer(resource, references, "Done") for status in resource.statuses
    }
    if is_file(resource):
        answers["206"] = _good_answer(resource, references, "A part of the file")
        answers["206"]["headers"] |= header_references("Content-Range")
    if is_file(resource) or (resource.method == "GET" and "ETag" in resource.headers):
        headers = header_references(*EVERY_ANSWER, "ETag")
        answers["304"] = {"description": "The caller has it already", "headers": headers}
    for status, codes in _problems(resource).items():
        phrase = HTTPStatus(status).phrase
        answers[str(status)] = {
            "description": f"{phrase}: {', '.join(codes)}",
            "headers": header_references(*EVERY_ANSWER, *PROBLEM_HEADERS.get(status, ())),
            "content": {MEDIA_TYPE: {"schema": _problem_schema(status, codes, references)}},
        }
    operation: dict[str, Any] = {
        "summary": resource.summary,
        "operationId": _operation_id(resource),
        "parameters": parameters(resource),
        "responses": answers,
        "security": [] if resource.access is Access.OPEN else [{"accessToken": []}],
    }
    if resource.request is not None:
        body = _content(resource.request, references, "The request")
        operation["requestBody"] = {"required": True, "content": body["content"]}
    return operation


def _problem_schema(status: int, codes: list[str], references: dict[Any, Any]) -> dict[str, Any]:
    """Return the schema of the problems of one status: their types and no others."""
    return {
        "allOf": [
            references[ProblemDocument],
            {
                "properties": {
                    "type": {"enum": [f"{TYPE_PREFIX}{code}" for code in codes]},
                    "code": {"enum": codes},
                    "status": {"const": status},
                },
                "required": ["requestId", "errors"],
            },
        ]
    }


def _good_answer(
    resource: Resource, references: dict[Any, Any], description: str
) -> dict[str, Any]:
    headers = (*EVERY_ANSWER, *(FILE_HEADERS if is_file(resource) else resource.headers))
    answer = _content(resource.answer, references, description)
    return {**answer, "headers": header_references(*headers)}


def _operation_id(resource: Resource) -> str:
    first, *others = _WORD.findall(f"{resource.method.lower()} {resource.path}")
    return f"{first}{''.join(word[:1].upper() + word[1:] for word in others)}"


def _content(answer: object, references: dict[Any, Any], description: str) -> dict[str, Any]:
    if isinstance(answer, type):
        return {"description": description, "content": {_JSON: {"schema": references[answer]}}}
    media_types = answer if isinstance(answer, tuple) else (answer,)
    return {"description": description, "content": {name: {} for name in media_types}}


def _problems(resource: Resource) -> dict[int, list[str]]:
    codes = [*_ALL_PROBLEMS, *_ACCESS_PROBLEMS[resource.access], *resource.problems]
    if resource.change is not None:
        codes += _CHANGE_PROBLEMS
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(PROBLEM_CODES[code].status, []).append(code)
    return dict(sorted(by_status.items()))


def show_openapi(_cloud: Cloud, call: Call) -> Reply:
    """Answer the OpenAPI document."""
    return conditional(call, json_reply(build_document()))


RESOURCES = (
    Resource(
        "GET",
        "/licensing/openapi",
        "This document",
        _JSON,
        read=show_openapi,
        headers=("ETag",),
        access=Access.SIGNED_IN,
    ),
)
