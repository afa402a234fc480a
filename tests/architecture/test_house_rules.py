"""The house rules that a machine can check: sizes, words, paths, lazy imports."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tui_licenses"
BENCHMARKS = ROOT / "benchmarks"
SOURCES = sorted(
    path for folder in (PACKAGE, BENCHMARKS, ROOT / "tests") for path in folder.rglob("*.py")
)
DOCUMENTED = sorted(path for folder in (PACKAGE, BENCHMARKS) for path in folder.rglob("*.py"))
FILE_LINES_MAXIMUM = 400
FUNCTION_LINES_MAXIMUM = 50
BROAD_EXCEPT_ALLOWED = {
    "__main__.py",
    "cloud/app.py",
    "documents/license_file.py",
    "tui/app.py",
    "tui/screen_diff.py",
}
HEAVY = {"fpdf", "lxml", "cryptography", "sqlalchemy", "starlette", "httpx", "alembic", "uvicorn"}


def _identity(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=_identity)
def test_no_file_and_no_function_outgrows_its_reader(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= FILE_LINES_MAXIMUM
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            lines = node.end_lineno - node.lineno + 1
            assert lines <= FUNCTION_LINES_MAXIMUM, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", DOCUMENTED, ids=_identity)
def test_every_module_and_public_name_says_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if "migrations" not in path.parts:
        assert ast.get_docstring(tree), "a module without a docstring"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith(
            "_"
        ):
            assert ast.get_docstring(node) or "migrations" in path.parts, node.name


def test_nothing_is_left_unfinished() -> None:
    marks = re.compile(
        r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK|NotImplemented" + r"Error)\b"
    )
    found = [
        f"{_identity(path)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []


def test_no_module_is_named_for_nothing_in_particular() -> None:
    names = {path.stem for path in DOCUMENTED}
    assert names.isdisjoint({"utils", "util", "helpers", "helper", "common", "manager", "misc"})


def _modules_after(statement: str) -> set[str]:
    program = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    "statement",
    [
        "import tui_licenses.wiring",
        "import tui_licenses.state.select, tui_licenses.state.store",
        "import tui_licenses.tui.app, tui_licenses.tui.screens.licenses",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(statement: str) -> None:
    assert _modules_after(statement).isdisjoint(HEAVY)


@pytest.mark.parametrize("statement", ["import tui_licenses.tui.app", "import tui_licenses.wiring"])
def test_the_dashboard_does_not_pay_for_the_command_line(statement: str) -> None:
    assert "click" not in _modules_after(statement)
