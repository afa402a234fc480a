"""D5: the reply of a download is cut after each of its bytes; no part of a file is ever saved."""

from __future__ import annotations

from tests.trust.harness import Run, TrustClass
from tests.trust.spoilt_replies import download_spoilt, whole_reply


def _cut(run: Run, *, is_naive: bool) -> None:
    reply, _ = whole_reply()
    cuts = [(f"cut after {length} bytes", reply[:length]) for length in range(len(reply))]
    download_spoilt(run, run.choose(cuts, fast=250), is_naive=is_naive)


def _run(run: Run) -> None:
    _cut(run, is_naive=False)


def _control(run: Run) -> None:
    _cut(run, is_naive=True)


CLASS = TrustClass("D5", "the reply of a download cut at every byte", 1_570, _run, _control)
