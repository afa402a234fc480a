"""License files with their manifests, many in one request."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.cloud.lab import Answer, Lab, on_sqlite, problem
from tui_licenses.api.license_sets import LICENSE_SETS_MAXIMUM

PATH = "/licensing/license-files"


async def _ask(lab: Lab, instances: list[dict[str, Any]], who: str = "reader") -> Answer:
    return await lab.ask("POST", PATH, json={"instances": instances}, who=who)


async def test_they_are_the_bytes_of_the_single_downloads(lab: Lab) -> None:
    instances = await lab.instances("licensed")
    answer = await _ask(lab, [{"instanceId": each["id"]} for each in instances])
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"
    items = answer.json()["items"]
    assert [item["instanceId"] for item in items] == [each["id"] for each in instances]
    assert sum(item["refusal"] is None for item in items) > 1
    for item in items:
        path = f"/licensing/instances/{item['instanceId']}"
        if item["refusal"] is not None:
            problem(await lab.get(f"{path}/license-file"), 409, item["refusal"]["code"])
            continue
        assert item["licenseFile"].encode() == (await lab.get(f"{path}/license-file")).content
        assert item["manifest"].encode() == (await lab.get(f"{path}/manifest")).content


async def test_what_the_caller_has_is_not_sent_again(lab: Lab) -> None:
    instance = await lab.licensed()
    (whole,) = (await _ask(lab, [{"instanceId": instance["id"]}])).json()["items"]
    known = {
        "licenseSha256": hashlib.sha256(whole["licenseFile"].encode()).hexdigest(),
        "manifestSha256": hashlib.sha256(whole["manifest"].encode()).hexdigest(),
    }
    (same,) = (await _ask(lab, [{"instanceId": instance["id"], **known}])).json()["items"]
    assert (same["licenseFile"], same["manifest"], same["refusal"]) == (None, None, None)
    known["licenseSha256"] = "00" * 32
    (other,) = (await _ask(lab, [{"instanceId": instance["id"], **known}])).json()["items"]
    assert (other["licenseFile"], other["manifest"]) == (whole["licenseFile"], None)


async def test_an_instance_without_one_says_why_and_the_others_are_answered(lab: Lab) -> None:
    licensed = await lab.licensed()
    bare = (await lab.instances("unlicensed"))[0]
    foreign = (await lab.instances(who="partner"))[0]
    asked = [bare["id"], licensed["id"], foreign["id"], "no id"]
    answer = await _ask(lab, [{"instanceId": each} for each in asked])
    first, second, third, fourth = answer.json()["items"]
    assert first["refusal"]["code"] == "no-master"
    assert first["refusal"]["detail"]
    assert second["refusal"] is None
    assert third["refusal"] == fourth["refusal"]
    assert third["refusal"]["code"] == "instance-not-found"
    assert third["licenseFile"] is None


@on_sqlite
@pytest.mark.parametrize("count", [0, LICENSE_SETS_MAXIMUM + 1])
async def test_no_instance_and_too_many_are_refused(lab: Lab, count: int) -> None:
    answer = await _ask(lab, [{"instanceId": str(number)} for number in range(count)])
    problem(answer, 400, "invalid-request")


async def test_an_account_without_the_tab_gets_none(lab: Lab) -> None:
    answer = await _ask(lab, [{"instanceId": "any"}], who="ineligible")
    problem(answer, 403, "plan-not-eligible")
