"""The OpenAPI document tells what the cloud does."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.cloud.lab import Lab
from tui_licenses.cloud.resources.every import RESOURCES
from tui_licenses.cloud.resources.openapi import build_document


def _references(part: object) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(_references, part.values()))
    if isinstance(part, list):
        return set().union(*map(_references, part))
    return set()


async def test_the_document_is_served_outside_of_the_plan(lab: Lab) -> None:
    answer = await lab.get("/licensing/openapi", who="ineligible")
    document = answer.json()
    assert document["openapi"] == "3.1.0"
    assert document == msgspec.json.decode(msgspec.json.encode(build_document()))


def test_every_resource_is_in_the_document_once() -> None:
    paths = build_document()["paths"]
    operations = [
        operation["operationId"] for methods in paths.values() for operation in methods.values()
    ]
    assert len(operations) == len(set(operations)) == len(RESOURCES)


def test_every_reference_leads_somewhere() -> None:
    document = build_document()
    for reference in _references(document):
        found: Any = document
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda entry: f"{entry.method} {entry.path}")
def test_a_change_needs_an_idempotency_key_and_a_sign_in(resource: Any) -> None:  # noqa: ANN401
    operation = build_document()["paths"][f"/api/v3{resource.path}"][resource.method.lower()]
    headers = {entry["name"] for entry in operation["parameters"] if entry["in"] == "header"}
    assert ("Idempotency-Key" in headers) == (resource.change is not None)
    assert (resource.read is None) == (resource.change is not None)
    is_open = resource.path in {"/health", "/authorization/token"}
    assert (operation["security"] == []) == is_open


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda entry: f"{entry.method} {entry.path}")
def test_every_answer_tells_its_headers_and_a_problem_its_codes(resource: Any) -> None:  # noqa: ANN401
    operation = build_document()["paths"][f"/api/v3{resource.path}"][resource.method.lower()]
    for status, answer in operation["responses"].items():
        assert "X-Request-Id" in answer["headers"]
        if int(status) >= 400:
            (content,) = answer["content"].values()
            assert content["schema"]["allOf"][1]["properties"]["code"]["enum"]
    assert "413" in operation["responses"]
    assert ("429" in operation["responses"]) == ("rate-limited" in resource.problems)
