"""D6: each bit of the reply of a download is flipped; what is saved is the document or nothing."""

from __future__ import annotations

from collections.abc import Iterator

from tests.trust.harness import Run, TrustClass
from tests.trust.spoilt_replies import download_spoilt, whole_reply


def _flipped(reply: bytes) -> Iterator[tuple[str, bytes]]:
    for place in range(len(reply)):
        for bit in range(8):
            spoilt = bytearray(reply)
            spoilt[place] ^= 1 << bit
            yield f"bit {bit} of byte {place} flipped", bytes(spoilt)


def _flip(run: Run, *, is_naive: bool) -> None:
    reply, _ = whole_reply()
    download_spoilt(run, run.choose(tuple(_flipped(reply)), fast=500), is_naive=is_naive)


def _run(run: Run) -> None:
    _flip(run, is_naive=False)


def _control(run: Run) -> None:
    _flip(run, is_naive=True)


CLASS = TrustClass("D6", "each bit of the reply of a download flipped", 12_552, _run, _control)
