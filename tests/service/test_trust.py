"""A root is trusted only after its fingerprint was typed back; its documents are then followed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.conftest import ServedCloud
from tests.support.scripted_server import Answer, Received, http
from tests.support.scripted_services import scripted_services
from tui_licenses import paths
from tui_licenses.config import Configuration
from tui_licenses.documents.envelope import LICENSE_TYPE
from tui_licenses.documents.signing import SigningKey
from tui_licenses.documents.trust import SigningKeyStatus, TrustedKey
from tui_licenses.documents.trust_document import build_trust_document
from tui_licenses.domain.account import Role
from tui_licenses.errors import DocumentError, FileError, NotFoundError, UseError
from tui_licenses.files import locked
from tui_licenses.service import trust_store
from tui_licenses.wiring import open_services

ROOT, SIGNER = SigningKey.generate(), SigningKey.generate()
FINGERPRINT = ROOT.public_key.fingerprint


def trust_document(
    revision: int = 1,
    status: SigningKeyStatus = SigningKeyStatus.ACTIVE,
    root: SigningKey = ROOT,
) -> bytes:
    key = TrustedKey(SIGNER.public_key, (LICENSE_TYPE,), 0, None, status)
    return build_trust_document("Example", revision, 1, [key], [root])


def add(root: SigningKey = ROOT, source: str = "cloud.example") -> None:
    offer = trust_store.make_offer(trust_document(root=root), is_lab=True, source=source)
    trust_store.add_root(offer, root.public_key.fingerprint)


def test_nothing_is_trusted_at_first() -> None:
    assert trust_store.stored_roots() == ()
    assert trust_store.stored_trusts() == ()


def test_a_root_is_added_listed_and_removed(tmp_path: Path) -> None:
    add()
    (root,) = trust_store.stored_roots()
    assert (root.fingerprint, root.issuer, root.source) == (FINGERPRINT, "Example", "cloud.example")
    assert root.is_lab
    assert not root.is_automatic
    trust_store.remove_root(f" {FINGERPRINT[:8].upper()} ")
    assert trust_store.stored_roots() == ()


def test_a_fingerprint_may_be_typed_in_groups() -> None:
    offer = trust_store.make_offer(trust_document(), is_lab=False, source="x")
    grouped = ":".join(FINGERPRINT[i : i + 4] for i in range(0, 64, 4)).upper()
    assert not trust_store.add_root(offer, grouped).is_lab


def test_without_a_fingerprint_the_one_found_is_told_and_nothing_trusted() -> None:
    offer = trust_store.make_offer(trust_document(), is_lab=True, source="evil\x1b[31m")
    with pytest.raises(UseError) as caught:
        trust_store.add_root(offer, None)
    assert caught.value.code == "fingerprint-required"
    assert FINGERPRINT in caught.value.message
    assert "\x1b" not in caught.value.message
    assert trust_store.stored_roots() == ()


@pytest.mark.parametrize(
    "typed", ["", FINGERPRINT[:-1], "00" * 32], ids=["nothing", "a digit short", "another"]
)
def test_another_fingerprint_trusts_nothing(typed: str) -> None:
    offer = trust_store.make_offer(trust_document(), is_lab=True, source="x")
    with pytest.raises(DocumentError) as caught:
        trust_store.add_root(offer, typed)
    assert caught.value.code == "fingerprint-mismatch"
    assert trust_store.stored_roots() == ()


def test_a_root_that_is_not_there_cannot_be_removed() -> None:
    add()
    for typed in ("", FINGERPRINT[:7], "00" * 32):
        with pytest.raises(NotFoundError):
            trust_store.remove_root(typed)


def test_a_beginning_that_two_roots_have_is_refused() -> None:
    folder = paths.private_folder(paths.trust_folder())
    for ending in "ab":
        (folder / f"{'0' * 63}{ending}.json").touch()
    with pytest.raises(UseError) as caught:
        trust_store.remove_root("00000000")
    assert caught.value.code == "ambiguous-name"


def test_a_newer_document_is_followed_and_kept() -> None:
    add()
    trust_store.follow([trust_document(2, SigningKeyStatus.REVOKED)])
    (trust,) = trust_store.stored_trusts()
    assert (trust.revision, trust.keys[0].status) == (2, SigningKeyStatus.REVOKED)
    assert trust.is_lab


@pytest.mark.parametrize("revision", [1, 3])
def test_a_document_that_is_no_next_step_changes_nothing(revision: int) -> None:
    add()
    trust_store.follow([trust_document(revision)])
    trust_store.follow([trust_document(2, root=SigningKey.generate()), b"nonsense", b"\xff"])
    assert trust_store.stored_trusts()[0].revision == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b'{"root":"00","documents":[],"lab":true,"source":"","addedAt":"2026-01-01T00:00:00Z"}',
        b'{"root":"zz","documents":[],"lab":true,"source":"","addedAt":"2026-01-01T00:00:00Z"}',
    ],
)
def test_a_damaged_root_is_told_and_never_trusted(content: bytes) -> None:
    file = paths.private_folder(paths.trust_folder()) / f"{FINGERPRINT}.json"
    file.touch(0o600)
    file.write_bytes(content)
    with pytest.raises(FileError) as caught:
        trust_store.stored_trusts()
    assert caught.value.code == "file-damaged"
    trust_store.remove_root(FINGERPRINT)
    assert trust_store.stored_trusts() == ()


def test_a_root_that_others_could_have_written_is_not_trusted() -> None:
    add()
    (paths.trust_folder() / f"{FINGERPRINT}.json").chmod(0o666)
    with pytest.raises(FileError) as caught:
        trust_store.stored_trusts()
    assert caught.value.code == "file-not-private"


def test_a_trust_folder_that_is_none_is_told() -> None:
    paths.trust_folder().parent.mkdir(parents=True)
    paths.trust_folder().touch()
    with pytest.raises(FileError):
        trust_store.stored_roots()


def test_a_root_comes_from_a_file_in_either_form(tmp_path: Path) -> None:
    import msgspec

    document = trust_document()
    (tmp_path / "bare.json").write_bytes(document)
    answer = {"document": document.decode(), "roots": [], "lab": False}
    (tmp_path / "answer.json").write_bytes(msgspec.json.encode(answer))
    bare = trust_store.read_offer(tmp_path / "bare.json")
    answered = trust_store.read_offer(tmp_path / "answer.json")
    assert bare.root == answered.root == ROOT.public_key
    assert (bare.is_lab, answered.is_lab) == (True, False)
    (tmp_path / "other.json").write_bytes(b"\xff nonsense")
    with pytest.raises(DocumentError):
        trust_store.read_offer(tmp_path / "other.json")
    with pytest.raises(FileError):
        trust_store.read_offer(tmp_path / "missing.json")


async def test_a_served_cloud_is_trusted_once_and_its_files_then_verify(
    served_cloud: ServedCloud, tmp_path: Path
) -> None:
    services = open_services(Configuration(), None, served_cloud.environment(Role.READER))
    instance = await services.inventory.find_instance("Zürich Flughafen")
    with pytest.raises(DocumentError) as unknown:
        await services.downloads.license_file(instance, tmp_path)
    assert unknown.value.code == "signing-key-unknown"
    assert "trust add" in unknown.value.next_step
    with pytest.raises(UseError) as required:
        await services.verification.trust_add(None, None)
    fingerprint = required.value.message.split()[-1].rstrip(".")
    root = await services.verification.trust_add(None, fingerprint)
    assert (root.source, root.is_lab) == (services.endpoint, True)
    saved = await services.downloads.license_file(instance, tmp_path)
    assert services.verification.verify(saved.path).is_lab
    assert services.verification.trust_list() == trust_store.stored_roots()
    services.verification.trust_remove(root.fingerprint)
    with pytest.raises(DocumentError):
        services.verification.verify(saved.path)
    await services.aclose()


async def test_a_root_is_added_from_a_file_without_any_cloud(tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_bytes(trust_document())
    services = open_services(Configuration(), None, {"TUI_LICENSES_URL": "https://a.invalid"})
    root = await services.verification.trust_add(tmp_path / "trust.json", FINGERPRINT)
    assert root.source == "trust.json"
    await services.aclose()


async def test_the_trust_documents_are_asked_for_once_where_a_root_is_trusted() -> None:
    def responder(request: Received) -> Answer:
        first, second, third = (trust_document(revision).decode() for revision in (1, 2, 3))
        answer = {"document": third, "earlier": [first, second], "roots": [], "lab": True}
        return http(200, answer)

    async with scripted_services(responder) as (services, server):
        await services.verification.follow_trust()
        assert server.paths() == []
    add()
    async with scripted_services(responder) as (services, server):
        await services.verification.follow_trust()
        await services.verification.follow_trust()
        assert server.paths() == ["/api/v3/licensing/trust"]
    assert trust_store.stored_trusts()[0].revision == 3


def test_a_root_that_is_trusted_already_goes_on_and_never_back() -> None:
    def offer(revision: int, is_lab: bool = False) -> trust_store.TrustOffer:
        return trust_store.make_offer(trust_document(revision), is_lab=is_lab, source="again")

    add()
    assert trust_store.add_root(offer(2), FINGERPRINT).is_lab
    assert trust_store.add_root(offer(2), FINGERPRINT).source == "again"
    with pytest.raises(DocumentError) as older:
        trust_store.add_root(offer(1), FINGERPRINT)
    assert older.value.code == "rollback"
    trust_store.add_root(offer(9), FINGERPRINT)
    assert trust_store.stored_trusts()[0].revision == 9


def test_a_root_that_was_replaced_vouches_for_no_later_document() -> None:
    add()
    following = SigningKey.generate()
    key = TrustedKey(SIGNER.public_key, (LICENSE_TYPE,), 0, None, SigningKeyStatus.ACTIVE)
    rotated = build_trust_document("Example", 2, 1, [key], [following], retiring_roots=[ROOT])
    trust_store.follow([rotated, build_trust_document("Example", 3, 1, [key], [following])])
    assert trust_store.stored_trusts()[0].roots == (following.public_key,)
    offer = trust_store.make_offer(trust_document(9), is_lab=True, source="x")
    with pytest.raises(DocumentError) as caught:
        trust_store.add_root(offer, FINGERPRINT)
    assert caught.value.code == "signing-key-unknown"
    assert trust_store.stored_trusts()[0].revision == 3


def test_every_changed_byte_of_a_stored_root_is_found() -> None:
    add()
    file = paths.trust_folder() / f"{FINGERPRINT}.json"
    good = file.read_bytes()
    for position in range(len(good)):
        data = bytearray(good)
        data[position] ^= 1 << position % 8
        file.write_bytes(data)
        with pytest.raises(FileError) as caught:
            trust_store.stored_trusts()
        assert caught.value.code == "file-damaged"
    file.write_bytes(good)
    assert trust_store.stored_trusts()[0].is_lab


def test_a_sound_root_under_the_name_of_another_is_refused() -> None:
    add()
    folder = paths.trust_folder()
    (folder / f"{FINGERPRINT}.json").rename(folder / f"{'0' * 64}.json")
    with pytest.raises(FileError) as caught:
        trust_store.stored_trusts()
    assert caught.value.code == "file-damaged"


def test_an_older_copy_of_a_stored_root_is_refused_until_it_is_brought_up_to_date() -> None:
    add()
    file = paths.trust_folder() / f"{FINGERPRINT}.json"
    old = file.read_bytes()
    trust_store.follow([trust_document(2, SigningKeyStatus.REVOKED)])
    file.write_bytes(old)
    with pytest.raises(DocumentError) as caught:
        trust_store.stored_trusts()
    assert caught.value.code == "rollback"
    assert "trust add" in caught.value.next_step
    trust_store.follow([trust_document(2, SigningKeyStatus.REVOKED)])
    assert trust_store.stored_trusts()[0].keys[0].status is SigningKeyStatus.REVOKED


def test_after_a_removal_an_older_document_is_refused_and_the_other_roots_still_count() -> None:
    add()
    trust_store.follow([trust_document(2, SigningKeyStatus.REVOKED)])
    trust_store.remove_root(FINGERPRINT)
    other = SigningKey.generate()
    add(other)
    with pytest.raises(DocumentError) as caught:
        add()
    assert caught.value.code == "rollback"
    (trust,) = trust_store.stored_trusts()
    assert trust.roots == (other.public_key,)


@pytest.mark.parametrize("change", ["follow", "add", "remove"])
def test_roots_are_changed_by_one_program_at_a_time(
    change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add()
    is_at_the_lock = threading.Event()

    def told(folder: Path) -> AbstractContextManager[object]:
        is_at_the_lock.set()
        return locked(folder)

    monkeypatch.setattr(trust_store, "locked", told)
    changes: dict[str, Callable[[], object]] = {
        "follow": lambda: trust_store.follow([trust_document(2)]),
        "add": lambda: add(SigningKey.generate()),
        "remove": lambda: trust_store.remove_root(FINGERPRINT),
    }
    with ThreadPoolExecutor(1) as pool:
        with locked(paths.trust_folder()):
            changing = pool.submit(changes[change])
            assert is_at_the_lock.wait(30)
            assert not wait([changing], timeout=0.2).done
            (paths.trust_folder() / f"{FINGERPRINT}.json").unlink()
        if change == "remove":
            with pytest.raises(NotFoundError):
                changing.result(30)
        else:
            changing.result(30)
    # What was removed meanwhile has not come back.
    assert FINGERPRINT not in {root.fingerprint for root in trust_store.stored_roots()}


def test_a_chain_has_an_end() -> None:
    add()
    chain = [trust_document(revision) for revision in range(2, 258)]
    trust_store.follow(chain[:255])
    assert trust_store.stored_trusts()[0].revision == 256
    trust_store.follow(chain)
    assert trust_store.stored_trusts()[0].revision == 256
    offer = trust_store.make_offer(chain[-1], is_lab=True, source="x")
    with pytest.raises(DocumentError) as caught:
        trust_store.add_root(offer, FINGERPRINT)
    assert caught.value.code == "trust-chain-too-long"


def test_a_screen_can_tell_where_a_lab_root_came_from() -> None:
    assert not trust_store.is_lab_source("cloud.example")
    add()
    assert trust_store.is_lab_source("cloud.example")
    assert not trust_store.is_lab_source("other.example")
    (paths.trust_folder() / f"{FINGERPRINT}.json").write_bytes(b"damaged")
    assert not trust_store.is_lab_source("cloud.example")


async def test_a_served_cloud_whose_root_is_a_labs_is_labelled() -> None:
    services = open_services(Configuration(), None, {"TUI_LICENSES_URL": "https://cloud.example"})
    add()
    assert services.is_lab
    await services.aclose()
