"""Every kind of request of the contract, made once, and what whoever runs the cloud does."""

# ruff: noqa: ANN401 - the driver hands arguments on to httpx
from __future__ import annotations

from typing import Any

from tests.cloud.lab import Answer, Lab
from tests.cloud.query_plans import Recording
from tui_licenses.cloud.administration import (
    accounts,
    issue,
    make_account,
    make_token,
    reinstate_key,
    retire_instance,
    revoke_key,
    revoke_token,
    suspend_key,
    tokens,
)
from tui_licenses.domain.account import Role
from tui_licenses.domain.license_key import Feature, KeyKind
from tui_licenses.domain.status import KeyStatus

PROFILE = (
    '<node id="new01" class="system"><configuration>'
    '<setting id="machine-id" value="aaaabbbbccccddddeeeeffff00001111"/></configuration></node>'
)
# Requests that want all rows and have no pages, with how they read them.
ASKED_FOR = {
    "all tokens": "SCAN subject",
    "tokens of an account": "SEARCH subject USING INDEX subject_by_account",
}

_STATUSES = (*KeyStatus, "active,expiring")
_WORDS = ("berlin", "pack", "pack%20berlin", "pack%20of", "haupt%207", "zzzz")
_KEY_FILTERS = (
    "",
    "kind=master",
    "kind=addOn",
    "includeAddOns=false",
    *(f"status={status}" for status in _STATUSES),
    "status=expired&kind=master",
    "status=unassigned&kind=addOn",
    *(f"q={word}" for word in _WORDS),
    "q=berlin&status=expired",
    "q=pack&status=expired",
    "q=pack&kind=addOn",
)
_KEY_SORTS = ("instanceName", "expiresAt", "-updatedAt")
_INSTANCE_FILTERS = ("", "state=pending", "state=licensed", "q=berlin", "q=haupt%207")
_INSTANCE_SORTS = ("name", "-updatedAt")
# A short page walks the order, a long one finds all matches first.
_LIMITS = (1, 1000)


async def make_every_request(lab: Lab, recorded: Recording) -> None:
    """Make each request once, those that read before those that change."""
    await _read_lists(lab, recorded)
    await _read_objects(lab, recorded)
    await _change(lab, recorded)
    await _administer(lab, recorded)


async def _get(lab: Lab, recorded: Recording, path: str, **arguments: Any) -> Answer:
    recorded.request = f"GET {path}"
    answer = await lab.get(path, **arguments)
    assert answer.status_code in {200, 304}, answer.text
    return answer


async def _read_lists(lab: Lab, recorded: Recording) -> None:
    instance = await lab.licensed()
    of_instance = (f"instanceId={instance['id']}", f"instanceId={instance['id']}&q=berlin")
    lists = [
        *(("keys", f"{kept}&sort={sort}") for kept in _KEY_FILTERS for sort in _KEY_SORTS),
        *(("keys", kept) for kept in of_instance),
        *(("instances", f"{k}&sort={sort}") for k in _INSTANCE_FILTERS for sort in _INSTANCE_SORTS),
        *(("events", f"sort={sort}") for sort in ("sequence", "-sequence")),
        ("events", f"targetId={instance['id']}"),
        *((name, "start=1") for name in ("keys", "instances", "events")),
    ]
    for name, query in lists:
        for limit in _LIMITS:
            path = f"/licensing/{name}?limit={limit}&{query.lstrip('&')}"
            page = (await _get(lab, recorded, path)).json()
            if limit == max(_LIMITS) and "start" not in query:
                assert page["totalCount"] == len(page["items"]), path
            if page["nextCursor"] is not None and "start" not in query:
                await _get(lab, recorded, f"{path}&cursor={page['nextCursor']}")
    first = (await _get(lab, recorded, "/licensing/changes?limit=1")).json()
    await _get(lab, recorded, "/licensing/changes?limit=0")
    await _get(lab, recorded, f"/licensing/changes?cursor={first['nextCursor']}")


async def _read_objects(lab: Lab, recorded: Recording) -> None:
    lab.access.clear()
    recorded.request = "POST /authorization/token"
    await lab.sign_in("administrator")
    instance = await lab.licensed()
    master = instance["masterKeyId"]
    of_instance = f"/licensing/instances/{instance['id']}"
    for path in (
        "/users/me",
        "/health",
        "/licensing/openapi",
        "/licensing/trust",
        of_instance,
        f"{of_instance}/profile",
        # The second time the license file is there.
        *(f"{of_instance}/license-file",) * 2,
        f"{of_instance}/manifest?kinds=license,profile,certificate",
        f"/licensing/keys/{master}",
        f"/licensing/keys/{master}/license-file",
        f"/licensing/keys/{master}/certificate",
    ):
        await _get(lab, recorded, path)
    key = (await lab.get(f"/licensing/keys/{master}")).json()["key"]
    recorded.request = "POST lookup"
    answer = await lab.ask("POST", "/licensing/keys/lookup", json={"key": key})
    assert answer.status_code == 200


async def _change(lab: Lab, recorded: Recording) -> None:
    master, add_on = await lab.free_master(), await lab.free_add_on()
    body = {
        "keys": [master["key"], add_on["key"]],
        "instance": {"name": "Neu", "location": {"countryCode": "AT"}},
        "profileXml": PROFILE,
    }

    async def ask(name: str, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        recorded.request = name
        answer = await lab.ask(method, path, **arguments)
        assert answer.status_code in {200, 201}, answer.text
        return dict(answer.json())

    await ask("preview", "POST", "/licensing/activations/preview", json=body)
    once = {"Idempotency-Key": "once"}
    made = await ask("activation", "POST", "/licensing/activations", json=body, headers=once)
    await ask("replay", "POST", "/licensing/activations", json=body, headers=once)
    instance = made["instance"]["id"]
    again = {"keys": body["keys"], "instanceId": instance}
    await ask("repeat", "POST", "/licensing/activations", json=again)
    other = await lab.free_master()
    swap = {"keys": [other["key"]], "instanceId": instance, "replaceMaster": True}
    swapped = await ask("replacement", "POST", "/licensing/activations", json=swap)
    path = f"/licensing/instances/{instance}"
    match = {"If-Match": f'"{swapped["instance"]["revision"]}"'}
    renamed = await ask("rename", "PATCH", path, json={"name": "Anders"}, headers=match)
    sent = {"If-Match": f'"{renamed["revision"]}"', "Content-Type": "application/xml"}
    content = PROFILE.replace("1111", "2222").encode()
    await ask("profile", "PUT", f"{path}/profile", content=content, headers=sent)
    release = {"reason": "moved", "cascade": True}
    await ask("release", "POST", f"/licensing/keys/{other['id']}/release", json=release)


async def _administer(lab: Lab, recorded: Recording) -> None:
    database, instance = lab.database, await lab.licensed()
    unlicensed = next(entry for entry in await lab.instances("unlicensed") if not entry["keyCount"])
    recorded.request = "accounts"
    accounts(database)
    recorded.request = "make account"
    account = make_account(database, name="Another", plan="Pro")
    recorded.request = "issue"
    issue(
        database,
        account.id,
        kind=KeyKind.MASTER,
        product_code="NEW",
        product_name="New product",
        features=(Feature("seats", "Seats", 5),),
        count=2,
    )
    recorded.request = "suspend, reinstate, revoke"
    suspend_key(database, instance["masterKeyId"], "unpaid")
    reinstate_key(database, instance["masterKeyId"], "paid")
    revoke_key(database, instance["masterKeyId"], "fraud")
    recorded.request = "retire"
    retire_instance(database, unlicensed["id"], "scrapped")
    recorded.request = "make token"
    token = make_token(database, account.id, role=Role.READER, display_name="Reader")
    recorded.request = "tokens of an account"
    tokens(database, account.id)
    recorded.request = "revoke token"
    revoke_token(database, token.subject_id)
    recorded.request = "all tokens"
    tokens(database)
