"""What keeps a figure from being measured."""

from __future__ import annotations


class BenchmarkError(Exception):
    """A measurement that could not be made; its text says why, in a sentence."""
