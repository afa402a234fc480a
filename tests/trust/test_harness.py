"""The harness counts what it is told, repeats itself, and is not satisfied by a tame control."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.trust import harness
from tests.trust.harness import Broken, Result, Run, TrustClass, closing_line, find_classes


@pytest.fixture(autouse=True)
def same_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # `run_class` changes the environment of its process, which here is everybody's.
    with monkeypatch.context() as patch:
        patch.setattr(harness, "_empty_home", lambda home: home.mkdir())
        yield


def _result(run: TrustClass, monkeypatch: pytest.MonkeyPatch, *, is_fast: bool = True) -> Result:
    monkeypatch.setattr(harness, "find_classes", lambda: (run,))
    return harness.run_class(run.id, 7, is_fast=is_fast)


def _kept(run: Run) -> None:
    run.disturb(3)


def _broken(run: Run) -> None:
    run.disturb()
    run.report(Broken.LOST, "a file is gone")


def test_a_class_that_keeps_its_promises_and_whose_control_fails_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = _result(TrustClass("D1", "saving", 3, _kept, _broken), monkeypatch)
    assert result.is_kept
    assert closing_line([result]) == (
        "3 faults injected, 0 lost, 0 corrupt, 0 forged accepted, "
        "0 raw control bytes, 0 unhandled exceptions"
    )


def test_a_broken_promise_is_counted_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    result = _result(TrustClass("D1", "saving", 1, _broken, _broken), monkeypatch)
    assert not result.is_kept
    assert result.reported == ("lost: a file is gone",)
    assert "1 faults injected, 1 lost, 0 corrupt" in closing_line([result])


def test_a_control_that_passes_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    result = _result(TrustClass("D1", "saving", 1, _kept, _kept), monkeypatch)
    assert not result.is_kept


def _crashes_in_a_case(run: Run) -> None:
    run.disturb()
    with run.case("a case"):
        raise KeyError("member")


def _crashes_at_the_end(run: Run) -> None:
    _broken(run)
    raise KeyError("member")


def _reports_undisturbed(run: Run) -> None:
    run.report(Broken.LOST, "a file is gone")


@pytest.mark.parametrize("control", [_crashes_in_a_case, _crashes_at_the_end, _reports_undisturbed])
def test_a_control_that_only_crashes_or_was_not_reached_is_no_proof(
    control: Callable[[Run], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = _result(TrustClass("D1", "saving", 1, _kept, control), monkeypatch)
    assert not result.is_kept


def test_a_control_must_break_what_its_class_says(monkeypatch: pytest.MonkeyPatch) -> None:
    crashing = TrustClass(
        "X3", "any text", 1, _kept, _crashes_in_a_case, control_breaks=(Broken.UNHANDLED,)
    )
    assert _result(crashing, monkeypatch).is_kept
    assert not _result(replace(crashing, control=_broken), monkeypatch).is_kept


def test_a_class_that_disturbed_nothing_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    result = _result(TrustClass("D1", "saving", 1, lambda run: None, _broken), monkeypatch)
    assert not result.is_kept


def test_the_whole_form_demands_its_count(monkeypatch: pytest.MonkeyPatch) -> None:
    result = _result(TrustClass("D1", "saving", 4, _kept, _broken), monkeypatch, is_fast=False)
    assert result.reported == ("other promises broken: 3 disturbed, not 4",)


def test_an_unexpected_exception_is_counted_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(run: Run) -> None:
        run.disturb()
        for number, error in enumerate((PermissionError(), KeyError("member")), 1):
            with run.case(f"case {number}", OSError):
                raise error

    result = _result(TrustClass("D1", "saving", 1, fails, _broken), monkeypatch)
    assert result.broken == {Broken.UNHANDLED: 1}
    assert result.reported[0].startswith(
        "unhandled exceptions: case 2: KeyError('member') at test_harness.py:"
    )


def test_the_same_seed_chooses_the_same_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[list[int]] = []

    def chooses(run: Run) -> None:
        run.disturb()
        chosen.append(list(run.choose(range(1000), 5)))

    trust_class = TrustClass("D1", "saving", 1, chooses, _broken)
    for _ in range(2):
        _result(trust_class, monkeypatch)
    assert chosen[0] == chosen[1] == sorted(chosen[0])
    assert len(chosen[0]) == 5


def test_the_whole_form_chooses_everything() -> None:
    run = Run(Random(1), Path(), is_fast=False)
    assert run.choose(range(1000), 5) == range(1000)


def test_what_is_no_fault_is_not_in_the_closing_line(monkeypatch: pytest.MonkeyPatch) -> None:
    strings = replace(TrustClass("T3", "strings", 1, _kept, _broken), are_faults=False)
    assert closing_line([_result(strings, monkeypatch)]).startswith("0 faults injected")


def test_the_classes_stand_in_the_order_of_the_matrix_each_once() -> None:
    ids = [entry.id for entry in find_classes()]
    assert len(set(ids)) == len(ids)
    assert [id_[0] for id_ in ids] == sorted((id_[0] for id_ in ids), key="TLXDNCS".index)
