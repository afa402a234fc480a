"""Goal 8: how soon the rows follow what is typed."""

from __future__ import annotations

from statistics import median

from benchmarks.checks import Check, Figure, percentile
from benchmarks.interleave import interleave
from benchmarks.laboratory import Laboratory
from benchmarks.programs import Program
from benchmarks.session import Session

_WORDS = ("berlin", "video")
# Longer than any pause within the answer to a whole query.
_QUERY_QUIET_SECONDS = 0.4


def measure_filters(laboratory: Laboratory) -> dict[str, list[list[float]]]:
    """Type two words into our filter, and give the first of them to the others."""

    def type_words() -> list[float]:
        with Session(laboratory.ours()) as session:
            session.wait_until_ready()
            laboratory.wait_for_all_rows(session)
            session.wait_until_idle()
            samples = []
            for word in _WORDS:
                session.press_and_settle("/")
                samples += [session.press(character).milliseconds for character in word]
                session.press_and_settle("escape")
                session.press_and_settle("escape")
            session.leave()
        return samples

    measures = {"ours": type_words}
    mutt, visidata = laboratory.mutt(), laboratory.visidata()
    if mutt is not None:
        measures["mutt"] = lambda: _query(mutt, "l", f"~s {_WORDS[0]}")
    if visidata is not None:
        measures["VisiData"] = lambda: _query(visidata, "g", f"|{_WORDS[0]}")
    return interleave(laboratory.runs, measures)


def _query(program: Program, key: str, words: str) -> list[float]:
    with Session(program) as session:
        session.wait_until_ready()
        session.settle()
        session.press_and_settle(key, *words)
        milliseconds = session.press_and_settle("enter", quiet_seconds=_QUERY_QUIET_SECONDS)
    return [milliseconds]


def every_key(laboratory: Laboratory) -> list[Check]:
    """Check each key of the filter, the first one alone too."""
    samples = laboratory.once(measure_filters)
    ours = [key for keys in samples["ours"] for key in keys]
    first = [keys[0] for keys in samples["ours"]]
    queries = {
        name: Figure(f"{name} (whole query)", median(key for keys in found for key in keys), "ms")
        for name, found in samples.items()
        if name != "ours"
    }
    others = tuple(figure for name, figure in queries.items() if name != "mutt")
    return [
        Check(
            "a key of the filter, median",
            median(ours),
            "ms",
            25,
            queries.get("mutt"),
            others=others,
        ),
        Check("a key of the filter, 95th percentile", percentile(ours, 95), "ms", 50),
        Check("the first key of the filter", median(first), "ms", 25),
    ]
