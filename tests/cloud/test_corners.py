"""What happens rarely: gone databases, races that were lost, names without words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cloud.lab import Lab, on_sqlite, plant, problem
from tui_licenses.api.problems import Problem
from tui_licenses.cloud.administration import check, suspend_key
from tui_licenses.cloud.http.call import Call
from tui_licenses.cloud.http.pipeline import Pipeline, as_problems
from tui_licenses.cloud.http.resource import Access, Cloud, Resource, Throttles
from tui_licenses.cloud.migrations import migrate
from tui_licenses.cloud.operations.audit import Author
from tui_licenses.cloud.operations.license_files import issue_license_file
from tui_licenses.errors import FileError

CALL = Call("GET", "/", {}, (), {}, b"", "", "id", None, 0)  # type: ignore[arg-type]


def test_a_resource_needs_somebody_who_calls() -> None:
    for answer in (lambda: CALL.signed_in, lambda: CALL.author):
        with pytest.raises(Problem) as refused:
            answer()
        assert refused.value.problem_code.code == "token-missing"


def test_a_resource_without_an_answer_says_so(lab: Lab) -> None:
    pipeline = Pipeline(Cloud(lab.store, Throttles()))
    reply = pipeline.answer(Resource("GET", "/", "", None, access=Access.OPEN), CALL)
    assert reply.status == 405


def test_an_error_that_is_no_problem_of_the_contract_stays_an_error() -> None:
    with pytest.raises(FileError), as_problems():
        raise FileError("disk-full", "The disk is full.")


@on_sqlite
async def test_health_tells_of_a_database_that_is_gone(lab: Lab) -> None:
    lab.store.engine.dispose()
    lab.store.path.write_bytes(b"\xff" * 100_000)
    problem(await lab.client.get("/api/v3/health"), 503, "unavailable")


def test_a_migration_that_another_program_did_is_not_done_again(lab: Lab) -> None:
    finished: list[str | None] = []
    assert migrate(lab.store.engine, lambda _, revision: finished.append(revision)) is False
    assert finished == []


async def test_a_master_that_went_meanwhile_leaves_no_license_file_to_issue(lab: Lab) -> None:
    pending = (await lab.instances("pending"))[0]
    author = Author(lab.token("reader").account_id, "reader", lab.store.now())
    with pytest.raises(Problem) as refused:
        issue_license_file(lab.store, pending["id"], author)
    assert refused.value.problem_code.code == "no-master"


async def test_a_license_file_that_another_request_issued_is_not_issued_twice(lab: Lab) -> None:
    instance = await lab.licensed()
    author = Author(lab.token("reader").account_id, "reader", lab.store.now())
    first = issue_license_file(lab.store, instance["id"], author)
    events = lab.count("event")
    assert issue_license_file(lab.store, instance["id"], replace(author, now=0)) == first
    assert lab.count("event") == events


async def test_a_repeat_on_a_suspended_instance_has_no_license_file(lab: Lab) -> None:
    instance, add_on = await lab.licensed(), await lab.free_add_on()
    assert (await lab.activate([add_on["key"]], instance["id"])).is_success
    suspend_key(lab.database, instance["masterKeyId"], "unpaid")
    answer = await lab.activate([add_on["key"]], instance["id"])
    assert answer.json()["licenseFile"] is None


async def test_a_name_without_letters_is_a_name(lab: Lab) -> None:
    path = f"/licensing/instances/{(await lab.licensed())['id']}"
    answer = await lab.ask("PATCH", path, headers={"If-Match": "*"}, json={"name": "★ [/] ★"})
    assert answer.json()["name"] == "★ [/] ★"
    assert check(lab.database) == ()


async def test_a_license_file_from_the_future_is_found(lab: Lab) -> None:
    path = f"/licensing/instances/{(await lab.licensed())['id']}/license-file"
    assert (await lab.get(path)).is_success
    plant(lab.database, "UPDATE license_file SET issued = 9999999999")
    messages = [finding.message for finding in check(lab.database)]
    assert messages == [
        "It is not the one that was issued.",
        "This license file is not valid yet.",
    ]


def test_a_key_with_characters_of_no_key_is_found(lab: Lab) -> None:
    plant(lab.database, "UPDATE license_key SET key = 'ÄÖÜ-' || id")
    assert {finding.code for finding in check(lab.database)} == {"key-wrong"}


def test_two_programs_that_make_keys_at_once_agree(lab: Lab) -> None:
    from tui_licenses.cloud.store import create_store

    other, created, migrated = create_store(lab.database, lab=True)
    assert (created, migrated) == (False, False)
    assert other.signing.root == lab.store.signing.root
    other.close()
