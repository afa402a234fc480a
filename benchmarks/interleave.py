"""Takes turns, so that what disturbs the machine disturbs everybody alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

Sample = TypeVar("Sample")


def interleave(
    rounds: int, measures: Mapping[str, Callable[[], Sample]], *, warm_ups: int = 0
) -> dict[str, list[Sample]]:
    """Call every measure once in each round, in turn; what the warm-ups bring is dropped."""
    samples: dict[str, list[Sample]] = {name: [] for name in measures}
    for number in range(warm_ups + rounds):
        for name, measure in measures.items():
            sample = measure()
            if number >= warm_ups:
                samples[name].append(sample)
    return samples
