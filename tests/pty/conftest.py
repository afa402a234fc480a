"""The main job is done in both ways to draw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tui_licenses.config import Configuration, Settings, save_configuration


@pytest.fixture(autouse=True, params=[True, False], ids=["screen-diff", "textual"])
def drawing(request: pytest.FixtureRequest, home: Path) -> None:
    """Draw by the screen diff, or leave it to Textual."""
    settings = replace(Settings(), screen_diff=request.param)
    save_configuration(Configuration(settings))
