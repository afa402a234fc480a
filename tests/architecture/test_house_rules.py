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
    return set(done.stdout.split())


def _packages_after(statement: str) -> set[str]:
    return {name.split(".")[0] for name in _modules_after(statement)}


@pytest.mark.parametrize(
    "statement",
    [
        "import tui_licenses.wiring",
        "import tui_licenses.state.select, tui_licenses.state.store",
        "import tui_licenses.tui.run, tui_licenses.tui.screens.licenses",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(statement: str) -> None:
    assert _packages_after(statement).isdisjoint(HEAVY)


_OPEN = """
from tui_licenses.config import Configuration
from tui_licenses.tui.app import TuiLicensesApp
from tui_licenses.wiring import open_services
app = TuiLicensesApp(open_services(Configuration(), None, {}), Configuration())
app.get_default_screen()
"""


def test_the_dashboard_is_there_without_what_asks_the_cloud_and_without_the_command_line() -> None:
    modules = _modules_after(_OPEN)
    packages = {name.split(".")[0] for name in modules}
    assert packages.isdisjoint(HEAVY | {"click", "msgspec", "pycountry", "psutil"})
    own = {name.split(".")[1] for name in modules if name.startswith("tui_licenses.")}
    assert own.isdisjoint({"api", "cli", "cloud", "documents"})
    assert not modules & {"tui_licenses.service.inventory", "tui_licenses.service.downloads"}


def test_the_first_picture_comes_before_textual() -> None:
    modules = _packages_after("import tui_licenses.tui.first_picture, tui_licenses.__main__")
    assert modules.isdisjoint(HEAVY | {"textual", "rich", "msgspec", "wcwidth", "asyncio"})
