"""What the trace of a save must show, in whichever way a file gets its name."""

from __future__ import annotations

import pytest

from tests.trust.sync_order import ACKNOWLEDGED, SyncOrder

_WRITTEN = ('1 write(4</home/.a.part>, "x", 1) = 1', "1 fsync(4</home/.a.part>) = 0")
_TOLD = f'1 write(5</dev/null>, "{ACKNOWLEDGED}", 13) = 13'
_NAMINGS = (
    '1 renameat(3</home>, ".a.part", 3</home>, "a") = 0',
    '1 linkat(3</home>, ".a.part", 3</home>, "a", 0) = 0',
    '1 rename("/home/.a.part", "/home/a") = 0',
    '1 linkat(AT_FDCWD</tmp>, "/home/.a.part", AT_FDCWD</tmp>, "/home/a", 0) = 0',
    '1 renameat2(AT_FDCWD</home>, ".a.part", AT_FDCWD</home>, "a", RENAME_NOREPLACE) = 0',
)


def _too_early(*lines: str) -> list[str]:
    order = SyncOrder("/home")
    order.follow(lines)
    assert order.acknowledged == 1
    return order.too_early


@pytest.mark.parametrize("naming", _NAMINGS)
def test_a_name_is_on_disk_once_its_folder_is(naming: str) -> None:
    assert _too_early(*_WRITTEN, naming, _TOLD) == ["/home"]
    assert _too_early(*_WRITTEN, naming, "1 fsync(3</home>) = 0", _TOLD) == []


def test_bytes_are_on_disk_once_their_file_is() -> None:
    assert _too_early(_WRITTEN[0], _TOLD) == ["/home/.a.part"]
    assert _too_early(*_WRITTEN, _TOLD) == []


def test_what_lies_elsewhere_does_not_count() -> None:
    assert _too_early('1 rename("/tmp/.a.part", "/tmp/a") = 0', _TOLD) == []
