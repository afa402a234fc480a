"""No outside text is ever markup, and nothing writes to the terminal but the writers it has."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.raw_text import find_raw_text, functions_that_return_safe_text

PACKAGE = Path(__file__).parents[2] / "tui_licenses"
SOURCES = sorted(
    [
        PACKAGE / "__main__.py",
        *(path for name in ("tui", "cli") for path in (PACKAGE / name).rglob("*.py")),
    ]
)
# The writers themselves: what they are given is cleaned, or JSON in ASCII; and our own help.
WRITERS = {
    ("cli/output.py", "write", "text.getvalue()"),
    ("cli/output.py", "write", "text + '\\n'"),
    ("__main__.py", "print", "file.read()"),
}
SAFE_FUNCTIONS = {
    name
    for path in SOURCES
    for name in functions_that_return_safe_text(ast.parse(path.read_text(encoding="utf-8")))
}


def _identity(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", SOURCES, ids=_identity)
def test_no_raw_string_reaches_a_widget_or_a_stream(path: Path) -> None:
    found = find_raw_text(path.read_text(encoding="utf-8"), SAFE_FUNCTIONS)
    raw = [one for one in found if (_identity(path), one.sink, one.argument) not in WRITERS]
    assert raw == [], "make it a Text, a Content, or clean it"


def test_nothing_but_the_screens_and_the_commands_writes_to_a_stream() -> None:
    """What is logged goes through `last_resort`; nobody else configures a handler."""
    writes = re.compile(
        r"\bprint\(|\bclick\.s?echo\(|sys\.(__)?std(out|err)|\b(Stream|File)Handler|basicConfig"
        r"|addHandler|faulthandler|traceback\.print"
    )
    found = {
        _identity(path)
        for path in PACKAGE.rglob("*.py")
        if writes.search(path.read_text(encoding="utf-8"))
    }
    assert found == {
        "__main__.py",
        "cli/output.py",
        "last_resort.py",
        # Where it is asked whether there is a terminal, and of which size.
        "cli/asking.py",
        "doctor/program.py",
        "terminal.py",
        # Where the terminal itself is taken, looked at and given back.
        "tui/early_terminal.py",
        "tui/first_picture.py",
        "tui/wall.py",
    }


PLANTED = """
def show(self, name, error, items: list[str]) -> None:
    shown = f"Instance {name}"
    {}
"""


@pytest.mark.parametrize(
    "statement",
    [
        "Static(name)",
        "Static(shown, id='title')",
        "Static(f'{name}!')",
        "Static(content=name)",
        "Static(name, markup=True)",
        "Static('a' + name)",
        "Static('%s' % name)",
        "Static('{}'.format(name))",
        "Static(' '.join(items))",
        "Static(name if name else 'none')",
        "Static(name or 'none')",
        "Static(str(error))",
        "Label(name)",
        "Button(name)",
        "Button(label=name)",
        "Link(name)",
        "Markdown(name)",
        "Checkbox(name)",
        "Collapsible(title=name)",
        "Option(name)",
        "OptionList(*items)",
        "Select([(name, 1)])",
        "Tab(name)",
        "Tabs(name)",
        "TabPane(name)",
        "Tree(name)",
        "textual.widgets.Static(name)",
        "Input(placeholder=name)\n    self.placeholder = name",
        "self.query_one('#a', Static).update(name)",
        "self.update(shown)",
        "self.notify(name)",
        "self.app.notify('a', title=name)",
        "table.add_row('a', name)",
        "table.add_column(name)",
        "table.update_cell(1, 2, name)",
        "options.add_option(name)",
        "options.set_options(items)",
        "log.write_line(name)",
        "self.border_title = name",
        "self.border_subtitle = shown",
        "self.app.title = name",
        "self.sub_title = name",
        "self.tooltip = name",
        "button.label = name",
        "Text.from_markup(name)",
        "Text.from_ansi(name)",
        "Content.from_markup(name)",
        "self.app.panic(name)",
        "self.app.exit(message=name)",
        "print(name)",
        "console.print(name)",
        "rich.print(name)",
        "click.echo(name)",
        "click.secho(name)",
        "click.prompt(name)",
        "click.confirm(name)",
        "input(name)",
        "sys.exit(name)",
        "raise SystemExit(name)",
        "sys.stdout.write(name)",
        "sys.stderr.write(shown)",
        "logging.warning('%s', name)",
        "_log.error(name)",
        "warnings.warn(name)",
        "for one in items:\n        print(one)",
        "shown = Text('a')\n    self.update(shown)",
        "if (value := name):\n        self.update(value)",
    ],
)
def test_the_search_finds_a_raw_string_in_every_sink(statement: str) -> None:
    assert find_raw_text(PLANTED.replace("{}", statement, 1)) != []


def test_the_search_finds_a_raw_string_given_to_the_base_of_a_widget() -> None:
    source = "class Title(Static):\n    def __init__(self, text):\n        super().__init__(text)\n"
    assert find_raw_text(source) != []
    assert find_raw_text(source.replace("(text)\n", "(text, markup=False)\n")) == []


@pytest.mark.parametrize(
    "statement",
    [
        "Static('ours')",
        "Static(_TITLES[name])",
        "Static(clean(name))",
        "Static(name, markup=False)",
        "Static(Text(name))",
        "self.update(Content(name))",
        "self.notify(f'{len(items):,} of {clean(name)}')",
        "print(clean(shown), file=sys.stderr)",
        "told = Text('a')\n    told.append(name)\n    self.update(told)",
        "self.update(words(name))",
    ],
)
def test_the_search_lets_pass_what_is_safe(statement: str) -> None:
    assert find_raw_text(PLANTED.replace("{}", statement, 1), {"words"}) == []
