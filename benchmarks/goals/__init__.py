"""The goals, each a number, a sentence, and the function that measures it.

A new one is a function that gets the laboratory and gives checks, and one line below.
"""

from __future__ import annotations

from benchmarks.checks import Goal
from benchmarks.goals.cloud import cloud_at_size
from benchmarks.goals.command_line import command_starts
from benchmarks.goals.downloads import license_files
from benchmarks.goals.exit import leaves_no_trace
from benchmarks.goals.filter import every_key
from benchmarks.goals.idle import idleness
from benchmarks.goals.keys import cursor_down, page_down, scroll_by_one
from benchmarks.goals.line import held_key, settled_start, silence_and_distance
from benchmarks.goals.memory import peak_memory
from benchmarks.goals.start import all_rows, first_row
from benchmarks.goals.sync import refresh_cost, start_without_network

GOALS: tuple[Goal, ...] = (
    Goal(1, "The first row is on the screen as soon as in a minimal app", first_row),
    Goal(2, "All rows are loaded soon after, and the keys work meanwhile", all_rows),
    Goal(3, "Cursor down", cursor_down),
    Goal(4, "Page down", page_down),
    Goal(5, "Scroll by one row", scroll_by_one),
    Goal(6, "A held key on a serial line", held_key),
    Goal(7, "A start on a serial line", settled_start),
    Goal(8, "The filter follows every key", every_key),
    Goal(9, "Peak memory", peak_memory),
    Goal(10, "Nothing happens while nothing happens", idleness),
    Goal(11, "Silent terminals and far networks", silence_and_distance),
    Goal(12, "A refresh costs what has changed", refresh_cost),
    Goal(13, "A start without a network", start_without_network),
    Goal(14, "Commands", command_starts),
    Goal(15, "A thousand license files", license_files),
    Goal(16, "The cloud at size", cloud_at_size),
    Goal(17, "The terminal is left as it was", leaves_no_trace),
)
