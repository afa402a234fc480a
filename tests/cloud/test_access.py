"""Every route with every kind of caller."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.cloud.lab import BASE, Answer, Lab, on_sqlite, problem
from tui_licenses.cloud.http.resource import Access, Resource
from tui_licenses.cloud.resources.every import RESOURCES
from tui_licenses.domain.account import Role

_ROLES = (Role.READER, Role.OPERATOR, Role.ADMINISTRATOR)
_CLOSED = [entry for entry in RESOURCES if entry.access is not Access.OPEN]
_CLOSED_IDS = [f"{entry.method} {entry.path}" for entry in _CLOSED]


async def _call(lab: Lab, resource: Resource, who: str, **arguments: object) -> Answer:
    """Call a resource with the id of an object of the first account, or of the caller's."""
    owner = "administrator" if who == "other" else who
    path = resource.path
    if "{id}" in path and owner != "ineligible":
        found = await (lab.keys(who=owner) if "/keys/" in path else lab.instances(who=owner))
        path = path.replace("{id}", found[0]["id"])
    headers = {"Idempotency-Key": "test"} if resource.change is not None else {}
    return await lab.ask(
        resource.method,
        path,
        who=who,
        headers=headers | dict(arguments.get("headers") or {}),  # type: ignore[call-overload]
    )


@on_sqlite
@pytest.mark.parametrize("resource", _CLOSED, ids=_CLOSED_IDS)
async def test_a_caller_without_a_token_is_told_to_sign_in(lab: Lab, resource: Resource) -> None:
    path = BASE + re.sub("{.*?}", "x", resource.path)
    answer = await lab.client.request(resource.method, path)
    problem(answer, 401, "token-missing")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@on_sqlite
@pytest.mark.parametrize("resource", _CLOSED, ids=_CLOSED_IDS)
async def test_an_unknown_token_is_refused(lab: Lab, resource: Resource) -> None:
    path = BASE + re.sub("{.*?}", "x", resource.path)
    headers = {"Authorization": "Bearer unknown"}
    problem(await lab.client.request(resource.method, path, headers=headers), 401, "token-invalid")


@on_sqlite
@pytest.mark.parametrize("resource", _CLOSED, ids=_CLOSED_IDS)
async def test_an_expired_token_is_refused(lab: Lab, resource: Resource) -> None:
    headers = {"Authorization": f"Bearer {await lab.sign_in('administrator')}"}
    lab.clock.now += timedelta(hours=2)
    path = BASE + re.sub("{.*?}", "x", resource.path)
    problem(await lab.client.request(resource.method, path, headers=headers), 401, "token-expired")


@on_sqlite
@pytest.mark.parametrize("resource", _CLOSED, ids=_CLOSED_IDS)
async def test_a_plan_without_the_tab_reaches_only_what_is_outside_of_it(
    lab: Lab, resource: Resource
) -> None:
    answer = await _call(lab, resource, "ineligible")
    if resource.access is Access.LICENSES:
        problem(answer, 403, "plan-not-eligible")
    else:
        assert answer.status_code == 200


@on_sqlite
@pytest.mark.parametrize("resource", _CLOSED, ids=_CLOSED_IDS)
@pytest.mark.parametrize("role", _ROLES)
async def test_a_role_does_what_it_may_and_no_more(
    lab: Lab, resource: Resource, role: Role
) -> None:
    answer = await _call(lab, resource, role)
    if _ROLES.index(role) < _ROLES.index(resource.role):
        problem(answer, 403, "role-insufficient")
    else:
        assert answer.status_code not in {401, 403, 500}


_WITH_ID = [entry for entry in _CLOSED if "{id}" in entry.path]


@pytest.mark.parametrize("resource", _WITH_ID, ids=[f"{e.method} {e.path}" for e in _WITH_ID])
async def test_an_object_of_another_account_is_unknown(lab: Lab, resource: Resource) -> None:
    code = "key-not-found" if "/keys/" in resource.path else "instance-not-found"
    problem(await _call(lab, resource, "other"), 404, code)


async def test_health_needs_no_sign_in(lab: Lab) -> None:
    answer = await lab.client.get(f"{BASE}/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


async def test_who_is_signed_in_is_told_with_account_and_plan(lab: Lab) -> None:
    user = (await lab.get("/users/me", who="operator")).json()
    assert user["role"] == "operator"
    assert user["email"] == "operator@meridian.example"
    assert user["account"]["plan"] == "Enterprise"
    assert user["account"]["licensesTab"]["available"] is True
    user = (await lab.get("/users/me", who="ineligible")).json()
    tab = user["account"]["licensesTab"]
    assert tab["available"] is False
    assert "Omni-D" in tab["reason"]
    assert tab["supportContact"] == "licenses@orchard.example"
