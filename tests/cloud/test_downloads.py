"""Downloads: headers, ranges, conditions; and what the files hold."""

from __future__ import annotations

import base64
import hashlib

import pytest

from tests.cloud.lab import SEEDED_FOR, Lab, on_sqlite, problem
from tui_licenses.cloud.administration import check, suspend_key
from tui_licenses.documents import certificate
from tui_licenses.documents.license_file import verify_license_file
from tui_licenses.documents.manifest import verify_manifest
from tui_licenses.documents.signing import import_public_key
from tui_licenses.documents.trust import TrustStore
from tui_licenses.documents.trust_document import establish_trust


async def _trust(lab: Lab) -> TrustStore:
    told = (await lab.get("/licensing/trust", who="ineligible")).json()
    root = import_public_key(bytes.fromhex(told["roots"][0]["key"]))
    assert root.keyid == told["roots"][0]["keyid"]
    assert root == lab.store.signing.root
    assert told["lab"] is True
    return TrustStore((establish_trust(told["document"].encode(), root, is_lab=True),))


async def _path(lab: Lab, kind: str) -> str:
    instance = await lab.licensed()
    return {
        "license-file": f"/licensing/instances/{instance['id']}/license-file",
        "profile": f"/licensing/instances/{instance['id']}/profile",
        "manifest": f"/licensing/instances/{instance['id']}/manifest",
        "certificate": f"/licensing/keys/{instance['masterKeyId']}/certificate",
    }[kind]


@pytest.mark.parametrize(
    ("kind", "media_type", "ending"),
    [
        ("license-file", "application/octet-stream", "-license.bin"),
        ("profile", "application/xml", "-profile.xml"),
        ("manifest", "application/vnd.tui-licenses.manifest.v1+json", "-manifest.json"),
        ("certificate", "application/pdf", "-certificate.pdf"),
    ],
)
async def test_a_download_says_what_it_is_and_proves_its_bytes(
    lab: Lab, kind: str, media_type: str, ending: str
) -> None:
    path = await _path(lab, kind)
    answer = await lab.get(path)
    digest = hashlib.sha256(answer.content)
    assert answer.status_code == 200, answer.text
    headers = answer.headers
    assert headers["content-type"] == media_type
    assert headers["content-length"] == str(len(answer.content))
    assert headers["etag"] == f'"{digest.hexdigest()}"'
    assert headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert headers["accept-ranges"] == "bytes"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "private, no-store"
    assert "content-encoding" not in headers
    name = headers["content-disposition"].split('"')[1]
    assert name.endswith(ending)
    assert headers["content-disposition"].endswith(f"filename*=UTF-8''{name}")
    assert (await lab.get(path)).content == answer.content


@on_sqlite
@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [("0-0", 0, 0), ("5-", 5, None), ("5-9", 5, 9), ("-7", -7, None), ("0-999999", 0, None)],
)
async def test_a_range_is_a_part_of_the_file(
    lab: Lab, wanted: str, first: int, last: int | None
) -> None:
    path = await _path(lab, "license-file")
    whole = (await lab.get(path)).content
    answer = await lab.get(path, headers={"Range": f"bytes={wanted}"})
    assert answer.status_code == 206
    assert answer.content == whole[first : None if last is None else last + 1]
    begin = first % len(whole)
    end = begin + len(answer.content) - 1
    assert answer.headers["content-range"] == f"bytes {begin}-{end}/{len(whole)}"


@on_sqlite
@pytest.mark.parametrize("wanted", ["bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=9-5", "x"])
async def test_a_range_that_is_not_served_gives_the_whole_file(lab: Lab, wanted: str) -> None:
    answer = await lab.get(await _path(lab, "license-file"), headers={"Range": wanted})
    assert answer.status_code == 200


@on_sqlite
@pytest.mark.parametrize("wanted", ["bytes=999999-", "bytes=-0"])
async def test_a_range_outside_of_the_file_is_refused(lab: Lab, wanted: str) -> None:
    path = await _path(lab, "license-file")
    size = len((await lab.get(path)).content)
    answer = await lab.get(path, headers={"Range": wanted})
    problem(answer, 416, "range-not-satisfiable")
    assert answer.headers["content-range"] == f"bytes */{size}"


async def test_a_range_of_an_older_file_gives_the_whole_new_one(lab: Lab) -> None:
    path = await _path(lab, "license-file")
    tag = (await lab.get(path)).headers["etag"]
    for condition, status in ((tag, 206), ('"older"', 200), (f"W/{tag}", 200)):
        headers = {"Range": "bytes=0-3", "If-Range": condition}
        assert (await lab.get(path, headers=headers)).status_code == status


async def test_a_file_the_caller_has_is_not_sent_again(lab: Lab) -> None:
    path = await _path(lab, "certificate")
    tag = (await lab.get(path)).headers["etag"]
    answer = await lab.get(path, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag


async def test_a_certificate_the_caller_has_is_not_drawn_again_and_a_changed_one_is(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await _path(lab, "certificate")
    tag = (await lab.get(path)).headers["etag"]
    drawn: list[object] = []
    draw = certificate.render_certificate

    def recorded(content: certificate.CertificateContent, code: str) -> bytes:
        drawn.append(content)
        return draw(content, code)

    monkeypatch.setattr(certificate, "render_certificate", recorded)
    assert (await lab.get(path, headers={"If-None-Match": tag})).status_code == 304
    assert drawn == []
    instance = await lab.licensed()
    await lab.ask(
        "PATCH",
        f"/licensing/instances/{instance['id']}",
        json={"name": "Another name"},
        headers={"If-Match": f'"{instance["revision"]}"'},
    )
    answer = await lab.get(path, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert len(drawn) == 1
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"' != tag


async def test_a_head_request_has_the_headers_of_the_file(lab: Lab) -> None:
    path = await _path(lab, "profile")
    whole = await lab.get(path)
    head = await lab.ask("HEAD", path)
    assert head.status_code == 200
    assert head.headers["content-length"] == str(len(whole.content))


async def test_a_license_file_verifies_with_the_trust_of_the_cloud(lab: Lab) -> None:
    instance = await lab.licensed()
    answer = await lab.get(f"/licensing/instances/{instance['id']}/license-file")
    verified = verify_license_file(
        answer.content,
        await _trust(lab),
        now=lab.clock.now,
        fingerprint=instance["fingerprint"],
    )
    assert verified.is_lab
    assert verified.payload.instance.id == instance["id"]
    assert verified.payload.issuer == "tui-licenses lab"


async def test_the_first_download_issues_the_license_file_and_is_audited_once(lab: Lab) -> None:
    path, events = await _path(lab, "license-file"), lab.count("event")
    for _ in range(2):
        assert (await lab.get(path, who="reader")).status_code == 200
    assert lab.count("event") == events + 1
    newest = (await lab.items("/licensing/events?limit=1"))[0]
    assert (newest["action"], newest["after"]) == ("license-file.issued", {"licenseFileSerial": 1})


async def test_a_manifest_binds_the_documents_of_an_instance(lab: Lab) -> None:
    instance = await lab.licensed()
    path = f"/licensing/instances/{instance['id']}"
    answer = await lab.get(f"{path}/manifest?kinds=license,profile,certificate")
    manifest = verify_manifest(answer.content, await _trust(lab)).payload
    assert manifest.instance == instance["id"]
    assert manifest.serial == 1
    keys = await lab.items(f"/licensing/keys?instanceId={instance['id']}")
    kinds = sorted(file.kind for file in manifest.files)
    assert kinds == ["certificate"] * len(keys) + ["license", "profile"]
    downloads = [f"{path}/license-file", f"{path}/profile"]
    downloads += [f"/licensing/keys/{key['id']}/certificate" for key in keys]
    listed = {file.name: (file.size, file.sha256) for file in manifest.files}
    for download in downloads:
        file = await lab.get(download)
        name = file.headers["content-disposition"].split('"')[1]
        assert listed.pop(name) == (len(file.content), file.headers["etag"].strip('"'))
    assert listed == {}


async def test_a_manifest_of_an_instance_without_license_holds_its_profile(lab: Lab) -> None:
    pending = (await lab.instances("pending"))[0]
    path = f"/licensing/instances/{pending['id']}/manifest"
    problem(await lab.get(path), 409, "no-master")
    answer = await lab.get(f"{path}?kinds=profile")
    manifest = verify_manifest(answer.content, await _trust(lab)).payload
    assert ([file.kind for file in manifest.files], manifest.serial) == (["profile"], 0)
    bare = next(entry for entry in await lab.instances() if not entry["profileRevision"])
    answer = await lab.get(f"/licensing/instances/{bare['id']}/manifest?kinds=profile")
    assert verify_manifest(answer.content, await _trust(lab)).payload.files == ()
    problem(await lab.get(f"{path}?kinds=photo"), 400, "invalid-request")


async def test_every_key_has_a_certificate_and_it_stays_the_same(lab: Lab) -> None:
    keys = await lab.keys()
    chosen = {key["status"]: key for key in keys}
    for key in chosen.values():
        path = f"/licensing/keys/{key['id']}/certificate"
        first = await lab.get(path)
        lab.clock.advance(days=1)
        lab.access.clear()
        assert first.content.startswith(b"%PDF-")
        assert (await lab.get(path)).content == first.content


async def test_the_serial_is_kept_while_there_is_no_license_file(lab: Lab) -> None:
    instance = await lab.licensed()
    path = f"/licensing/instances/{instance['id']}/license-file"
    assert (await lab.get(path)).status_code == 200
    suspend_key(lab.database, instance["masterKeyId"], "unpaid")
    problem(await lab.get(path), 409, "no-master")
    master = await lab.free_master()
    answer = await lab.activate([master["key"]], instance["id"], replaceMaster=True)
    assert answer.json()["licenseFile"]["serial"] == 2
    assert check(lab.database) == ()
    assert lab.clock.now > SEEDED_FOR
