"""The OpenAPI 3.1 document of the contract, made from the resources and their schemas."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec

from tui_licenses import __version__
from tui_licenses.api.problems import MEDIA_TYPE, PROBLEM_CODES, ProblemDocument
from tui_licenses.api.schemas import BASE_PATH
from tui_licenses.cloud.http.call import Call
from tui_licenses.cloud.http.reply import Reply, conditional, json_reply
from tui_licenses.cloud.http.resource import Access, Cloud, Resource

_REFERENCE = "#/components/schemas/{name}"
_PATH_PARAMETER = re.compile(r"{(\w+)}")
_WORD = re.compile(r"\w+")
_JSON = "application/json"

_PARAMETER_TYPES: dict[str, dict[str, Any]] = {
    "start": {"type": "integer", "minimum": 0, "maximum": 10_000},
    "limit": {"type": "integer", "minimum": 0, "maximum": 1000},
    "includeAddOns": {"type": "boolean"},
}
# What every resource of this kind may answer beside its own problems.
_ACCESS_PROBLEMS = {
    Access.OPEN: (),
    Access.SIGNED_IN: ("token-missing", "token-invalid", "token-expired"),
    Access.LICENSES: ("token-missing", "token-invalid", "token-expired", "plan-not-eligible"),
}
_ALL_PROBLEMS = ("unknown-parameter", "profile-too-large", "internal", "unavailable")
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
            "securitySchemes": {"accessToken": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(resource: Resource, references: dict[Any, Any]) -> dict[str, Any]:
    answers = {str(resource.status): _content(resource.answer, references, "Done")}
    if resource.method == "GET" and not isinstance(resource.answer, type):
        answers["206"] = _content(resource.answer, references, "A part of the file")
    if resource.method == "GET":
        answers["304"] = {"description": "The caller has it already"}
    for status, codes in _problems(resource).items():
        phrase = HTTPStatus(status).phrase
        described = f"{phrase}: {', '.join(codes)}"
        answers[str(status)] = {
            "description": described,
            "content": {MEDIA_TYPE: {"schema": references[ProblemDocument]}},
        }
    operation: dict[str, Any] = {
        "summary": resource.summary,
        "operationId": _operation_id(resource),
        "parameters": _parameters(resource),
        "responses": answers,
        "security": [] if resource.access is Access.OPEN else [{"accessToken": []}],
    }
    if resource.request is not None:
        body = _content(resource.request, references, "The request")
        operation["requestBody"] = {"required": True, "content": body["content"]}
    return operation


def _operation_id(resource: Resource) -> str:
    first, *others = _WORD.findall(f"{resource.method.lower()} {resource.path}")
    return f"{first}{''.join(word[:1].upper() + word[1:] for word in others)}"


def _content(answer: object, references: dict[Any, Any], description: str) -> dict[str, Any]:
    if isinstance(answer, type):
        return {"description": description, "content": {_JSON: {"schema": references[answer]}}}
    return {"description": description, "content": {str(answer): {}}}


def _problems(resource: Resource) -> dict[int, list[str]]:
    codes = [*_ALL_PROBLEMS, *_ACCESS_PROBLEMS[resource.access], *resource.problems]
    if resource.change is not None:
        codes += _CHANGE_PROBLEMS
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(PROBLEM_CODES[code].status, []).append(code)
    return dict(sorted(by_status.items()))


def _parameters(resource: Resource) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(resource.path)
    ]
    found += [
        {"name": name, "in": "query", "schema": _PARAMETER_TYPES.get(name, {"type": "string"})}
        for name in sorted(resource.parameters)
    ]
    if resource.change is not None:
        found.append(_header("Idempotency-Key", required=True))
    conditions = {"if-match-required", "revision-mismatch"} & set(resource.problems)
    if conditions:
        # A first profile is sent with If-None-Match instead.
        found.append(_header("If-Match", required=resource.method == "PATCH"))
    if resource.method == "PUT":
        found.append(_header("If-None-Match", required=False))
    return found


def _header(name: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "schema": {"type": "string"}}


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
        access=Access.SIGNED_IN,
    ),
)
