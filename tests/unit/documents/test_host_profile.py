"""This host's own profile: from lshw of either shape, or from the kernel alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.documents.profiles import CARD, LIST, MACHINE_ID, NODE, PRODUCT_UUID
from tui_licenses.documents.host_profile import HostSources, collect_host_profile
from tui_licenses.documents.profile import check_activatable, hardware_rows, parse_profile
from tui_licenses.errors import DocumentError


def program(folder: Path, script: str) -> str:
    path = folder / "lshw"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def printing(folder: Path, text: bytes) -> str:
    (folder / "output").write_bytes(text)
    return program(folder, f"cat '{folder / 'output'}'")


def file_at(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host with a machine-id, a uuid that can be read and one physical network card."""
    folder = tmp_path / "host"
    file_at(folder / "etc/machine-id", MACHINE_ID + "\n")
    file_at(folder / "sys/class/dmi/id/product_uuid", PRODUCT_UUID + "\n")
    file_at(folder / "sys/class/dmi/id/product_name", "Server\x01 9\n")
    file_at(folder / "proc/cpuinfo", "model name\t: Fast CPU\n\nmodel name\t: Fast CPU\n")
    for name, address in (("eth0", CARD), ("docker0", "02:42:00:00:00:01")):
        file_at(folder / "sys/class/net" / name / "address", address + "\n")
        file_at(folder / "sys/class/net" / name / "type", "1\n")
    file_at(folder / "drivers/e1000e/module", "")
    device = folder / "sys/class/net/eth0/device"
    device.mkdir()
    (device / "driver").symlink_to(folder / "drivers/e1000e")
    file_at(folder / "sys/block/sda/device/model", "Disk\n")
    file_at(folder / "sys/block/sda/size", "2048\n")
    file_at(folder / "sys/block/loop0/size", "8\n")
    return folder


@pytest.mark.parametrize("text", [NODE, LIST])
def test_identity_is_added_to_what_lshw_tells(tmp_path: Path, root: Path, text: str) -> None:
    lshw = printing(tmp_path, text.encode())
    data = collect_host_profile(HostSources(lshw, root))
    profile = parse_profile(data)
    assert profile.machine_id == MACHINE_ID
    assert profile.product_uuid == PRODUCT_UUID.lower()
    assert profile.hardware_addresses == (CARD,)
    assert profile.hostname == "vault"
    values = {row.value for row in hardware_rows(data)}
    assert {row.value for row in hardware_rows(text.encode())} <= values


def test_the_fingerprint_is_the_same_with_lshw_and_without(tmp_path: Path, root: Path) -> None:
    lshw = printing(tmp_path, LIST.encode())
    with_lshw = parse_profile(collect_host_profile(HostSources(lshw, root)))
    without = parse_profile(collect_host_profile(HostSources(None, root)))
    assert check_activatable(with_lshw) == check_activatable(without)


def test_the_fingerprint_is_the_same_where_only_root_can_read_the_uuid(root: Path) -> None:
    as_root = parse_profile(collect_host_profile(HostSources(None, root)))
    (root / "sys/class/dmi/id/product_uuid").unlink()
    as_user = parse_profile(collect_host_profile(HostSources(None, root)))
    assert as_user.product_uuid is None
    assert as_user.fingerprint == as_root.fingerprint


def test_the_kernel_alone_tells_the_hardware(root: Path) -> None:
    rows = hardware_rows(collect_host_profile(HostSources(None, root)))
    found = {(row.section.rpartition(" / ")[2], row.attribute, row.value) for row in rows}
    assert ("system", "product", "Server  9") in found
    assert ("cpu", "product", "Fast CPU") in found
    assert ("disk:sda", "size", str(2048 * 512)) in found
    assert ("network:eth0", "serial", CARD) in found
    assert ("network:eth0", "configuration / driver", "e1000e") in found
    assert {section for section, *_ in found}.isdisjoint({"network:docker0", "disk:loop0"})


def test_a_card_in_a_bond_keeps_its_own_address(root: Path) -> None:
    file_at(root / "sys/class/net/eth0/bonding_slave/perm_hwaddr", "00:00:0c:01:02:03\n")
    profile = parse_profile(collect_host_profile(HostSources(None, root)))
    assert profile.hardware_addresses == ("00:00:0c:01:02:03",)


def test_the_machine_id_of_dbus_stands_in(root: Path) -> None:
    (root / "etc/machine-id").write_text("uninitialized\n")
    file_at(root / "var/lib/dbus/machine-id", MACHINE_ID)
    assert parse_profile(collect_host_profile(HostSources(None, root))).machine_id == MACHINE_ID


def test_a_host_without_any_identity_can_be_viewed_and_not_activated(tmp_path: Path) -> None:
    data = collect_host_profile(HostSources(None, tmp_path / "empty"))
    assert hardware_rows(data)
    with pytest.raises(DocumentError) as raised:
        check_activatable(parse_profile(data))
    assert raised.value.code == "profile-without-identity"


@pytest.mark.parametrize(
    "script",
    ["exit 1", "echo no XML", "echo '<list/>'", "echo '<html/>'", "exec sleep 60", "exit 0"],
)
def test_an_lshw_that_fails_is_done_without(tmp_path: Path, root: Path, script: str) -> None:
    sources = HostSources(program(tmp_path, script), root, lshw_timeout_seconds=0.5)
    assert parse_profile(collect_host_profile(sources)).machine_id == MACHINE_ID


def test_an_lshw_that_is_gone_is_done_without(tmp_path: Path, root: Path) -> None:
    sources = HostSources(str(tmp_path / "gone"), root)
    assert parse_profile(collect_host_profile(sources)).machine_id == MACHINE_ID


def test_what_xml_cannot_hold_is_taken_out_of_firmware_strings(tmp_path: Path, root: Path) -> None:
    text = b'<node id="vault" class="system"><serial>A\x01B\xffC&#x1;D&#31;E&#9;F</serial></node>'
    data = collect_host_profile(HostSources(printing(tmp_path, text), root))
    serial = next(row.value for row in hardware_rows(data) if row.attribute == "serial")
    assert serial == "AB\ufffdCDE\tF"


def test_lshw_gets_no_environment_of_the_user(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    lshw = program(tmp_path, 'echo "<node id=\\"vault\\"><s>${SECRET-none}</s></node>"')
    data = collect_host_profile(HostSources(lshw, root))
    assert ("s", "none") in {(row.attribute, row.value) for row in hardware_rows(data)}


def test_this_very_host_has_a_profile() -> None:
    data = collect_host_profile()
    assert parse_profile(data).root_name in {"list", "node"}
    assert hardware_rows(data)
