"""The steps of an activation, in their order."""

from __future__ import annotations

from enum import IntEnum


class Step(IntEnum):
    """Where the user is; the numbers are shown."""

    KEYS = 1
    INSTANCE = 2
    REVIEW = 3
    RESULT = 4


STEP_TITLES = {
    Step.KEYS: "Keys",
    Step.INSTANCE: "Instance",
    Step.REVIEW: "Review",
    Step.RESULT: "Result",
}
