"""What is never asked for is not counted as spoilt, and a client that saves nothing is found."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.trust import spoilt_replies
from tests.trust.harness import Broken, Run
from tests.trust.spoilt_replies import download_spoilt, whole_reply
from tui_licenses.errors import UnavailableError

_CUT = [("cut in half", whole_reply()[0][:800])]


def test_the_real_client_saves_the_whole_reply_and_no_other(tmp_path: Path) -> None:
    run = Run(Random(1), tmp_path, is_fast=True)
    download_spoilt(run, _CUT, is_naive=False)
    assert run.disturbed == 1
    assert not run.broken


def test_a_client_that_never_asks_is_not_disturbed_and_breaks_a_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(self: object, number: int, folder: Path) -> Path:
        raise UnavailableError("unreachable", "The cloud cannot be reached.", "Try again.")

    monkeypatch.setattr(spoilt_replies._RealDownloader, "save", refuse)
    run = Run(Random(1), tmp_path, is_fast=True)
    download_spoilt(run, _CUT, is_naive=False)
    assert run.disturbed == 0
    assert run.broken == {Broken.LOST: 1}
