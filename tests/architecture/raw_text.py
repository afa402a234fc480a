"""Finds strings on their way to the screen or to a stream that nobody made safe.

A string is safe where it is written in the source, where it went through `clean` or one of its
kin, or where it is a `Text` or `Content`, which nobody parses. What a name stands for is looked
up in its function, and what a function returns in its annotation.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# Widgets that take a string for markup, unless they are told not to.
WIDGETS = frozenset(
    [
        "Static",
        "Label",
        "Button",
        "Link",
        "Markdown",
        "Placeholder",
        "Checkbox",
        "RadioButton",
        "Option",
        "OptionList",
        "Select",
        "Selection",
        "SelectionList",
        "Tab",
        "TabPane",
        "Tabs",
        "TabbedContent",
        "Collapsible",
        "Digits",
        "Pretty",
        "Log",
        "RichLog",
        "Tree",
        "Header",
        "Toast",
        "Tooltip",
        "DataTable",
        "Panel",
    ]
)
METHODS = frozenset(
    [
        "notify",
        "update",
        "update_cell",
        "update_cell_at",
        "add_row",
        "add_rows",
        "add_column",
        "add_columns",
        "add_option",
        "add_options",
        "set_options",
        "replace_option_prompt",
        "add_leaf",
        "add_tab",
        "add_pane",
        "write_line",
        "panic",
        "set_label",
        "from_markup",
        "from_ansi",
        "render_markup",
        "echo",
        "secho",
        "prompt",
        "confirm",
    ]
)
# What streams are written with.
FUNCTIONS = frozenset({"print", "rprint", "input", "getpass", "SystemExit"})
STREAMS = frozenset({"stdout", "stderr", "__stdout__", "__stderr__"})
LOGGERS = frozenset({"logging", "logger", "log", "_log", "_logger", "LOGGER"})
LOG_METHODS = frozenset(["debug", "info", "warning", "error", "exception", "critical", "log"])
ATTRIBUTES = frozenset(
    [
        "border_title",
        "border_subtitle",
        "title",
        "sub_title",
        "tooltip",
        "label",
        "placeholder",
        "prompt",
        "TITLE",
        "SUB_TITLE",
    ]
)
# Arguments that are drawn; every other one that is named is an id, a style or a switch.
DRAWN_ARGUMENTS = frozenset(
    [
        "content",
        "renderable",
        "label",
        "prompt",
        "options",
        "message",
        "title",
        "text",
        "placeholder",
        "value",
        "tooltip",
        "border_title",
        "hint",
    ]
)
SAFE_CALLS = WIDGETS | {"clean", "Text", "Content", "len", "range"}
SAFE_TYPES = frozenset({"Text", "Content", "Table", "int", "float", "bool", "Group"})
# Methods that keep a safe text safe.
KEEPING = frozenset(["join", "append", "assemble", "copy", "format", "grid", "rstrip"])


class RawText(NamedTuple):
    """A place where a raw string may reach a sink."""

    line: int
    sink: str
    argument: str


def find_raw_text(source: str, safe_functions: Iterable[str] = ()) -> list[RawText]:
    """Return every place where a string that is not known to be safe reaches a sink."""
    tree = ast.parse(source)
    known = {*safe_functions, *functions_that_return_safe_text(tree)}
    found: list[RawText] = []
    own = _calls_of_base_widgets(tree)
    for scope in _scopes(tree):
        finder = _Finder(known, scope)
        for node in _own_nodes(scope):
            found += finder.look(node, is_widget=id(node) in own)
    return sorted(set(found))


def _calls_of_base_widgets(tree: ast.Module) -> set[int]:
    """Return which calls are `super().__init__` of widgets that were made from others."""
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return {
        id(node)
        for made in classes
        if any(ast.unparse(base).split("[")[0] in WIDGETS for base in made.bases)
        for node in ast.walk(made)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__"
    }


def functions_that_return_safe_text(tree: ast.AST) -> set[str]:
    """Return the names of functions that return, by their annotation, what nobody parses."""
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_safe_type(node.returns)
    }


def _is_safe_type(annotation: ast.expr | None) -> bool:
    return annotation is not None and ast.unparse(annotation) in SAFE_TYPES


_Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef


def _scopes(tree: ast.Module) -> Iterator[_Scope]:
    yield tree
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _own_nodes(scope: _Scope) -> Iterator[ast.AST]:
    """Give the nodes of a function without those of the functions inside it."""
    waiting: list[ast.AST] = list(scope.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += ast.iter_child_nodes(node)


def _bindings(node: ast.AST) -> list[tuple[ast.expr, ast.expr]]:
    """Return what a statement gives names to, and what it names."""
    match node:
        case ast.Assign():
            return [(target, node.value) for target in node.targets]
        case ast.AnnAssign() | ast.AugAssign() | ast.NamedExpr() if node.value is not None:
            return [(node.target, node.value)]
        case ast.For():
            return [(node.target, node.iter)]
    return []


def _parts(node: ast.expr) -> list[ast.expr]:
    """Return what a string is put together from; nothing where that is not known."""
    match node:
        case ast.JoinedStr() | ast.BoolOp():
            return node.values
        case ast.FormattedValue():
            # Only numbers take such a format.
            spec = "" if node.format_spec is None else ast.unparse(node.format_spec)
            is_number = spec.strip("f'\"").endswith((",", "d", "f"))
            return [ast.Constant(0) if is_number else node.value]
        case ast.Subscript() | ast.Starred():
            return [node.value]
        case ast.BinOp():
            return [node.left, node.right]
        case ast.IfExp():
            # What is no string is drawn as what it is.
            is_string = f"isinstance({ast.unparse(node.orelse)}, str)"
            is_asked = ast.unparse(node.test) == is_string
            return [node.body] if is_asked else [node.body, node.orelse]
        case ast.Tuple() | ast.List():
            return node.elts
        case ast.GeneratorExp() | ast.ListComp():
            return [node.elt]
    return []


class _Finder:
    def __init__(self, safe_functions: set[str], scope: _Scope) -> None:
        self._safe_functions = safe_functions
        self._values: dict[str, list[ast.expr]] = {}
        self._safe_names: set[str] = set()
        self._asked: set[str] = set()
        if not isinstance(scope, ast.Module):
            arguments = [*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs]
            self._safe_names = {one.arg for one in arguments if _is_safe_type(one.annotation)}
        for node in _own_nodes(scope):
            if isinstance(node, ast.AnnAssign) and _is_safe_type(node.annotation):
                self._safe_names.add(ast.unparse(node.target))
            for target, value in _bindings(node):
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        self._values.setdefault(name.id, []).append(value)

    def look(self, node: ast.AST, *, is_widget: bool) -> Iterator[RawText]:
        """Give what is raw at one node; a call may be that of a base which is a widget."""
        if isinstance(node, ast.Call):
            sink = _sink_of(node, is_widget=is_widget)
            if sink is not None:
                yield from self._raw(node.lineno, sink, _drawn(node))
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute) and target.attr in ATTRIBUTES:
                    yield from self._raw(node.lineno, target.attr, [node.value])

    def _raw(self, line: int, sink: str, values: Iterable[ast.expr]) -> Iterator[RawText]:
        for value in values:
            if not self._is_safe(value):
                yield RawText(line, sink, ast.unparse(value))

    def _is_safe(self, node: ast.expr) -> bool:
        match node:
            case ast.Constant() | ast.Lambda():
                return True
            case ast.Name():
                return self._is_safe_name(node.id)
            case ast.Attribute():
                return node.attr.isupper()
            case ast.Call():
                return self._is_safe_call(node)
        parts = _parts(node)
        return bool(parts) and all(map(self._is_safe, parts))

    def _is_safe_name(self, name: str) -> bool:
        if name.isupper() or name.startswith("__") or name in self._safe_names:
            return True
        if name in self._asked:
            # It stands for something made of itself; the rest decides.
            return True
        self._asked.add(name)
        values = self._values.get(name, [])
        is_safe = bool(values) and all(map(self._is_safe, values))
        self._asked.discard(name)
        return is_safe

    def _is_safe_call(self, node: ast.Call) -> bool:
        function = node.func
        if isinstance(function, ast.Name):
            if function.id == "map" and node.args and isinstance(node.args[0], ast.Name):
                return node.args[0].id in SAFE_CALLS
            if function.id in {"pad", "shorten", "sorted", "tuple", "list", "str"} and node.args:
                return self._is_safe(node.args[0])
            return function.id in SAFE_CALLS or function.id in self._safe_functions
        if isinstance(function, ast.Attribute):
            if function.attr in self._safe_functions:
                return True
            if function.attr in KEEPING:
                owner = function.value
                return ast.unparse(owner) in SAFE_TYPES or (
                    self._is_safe(owner) and all(map(self._is_safe, node.args))
                )
        return False


def _sink_of(call: ast.Call, *, is_widget: bool) -> str | None:
    """Return the name of the sink a call is, None where it is none, or takes no markup."""
    if is_widget:
        name, is_sink = "super().__init__", True
    elif isinstance(call.func, ast.Name):
        name = call.func.id
        is_sink = name in WIDGETS | FUNCTIONS
    elif isinstance(call.func, ast.Attribute):
        name = call.func.attr
        owner = ast.unparse(call.func.value).split(".")[-1]
        is_sink = (
            name in METHODS | WIDGETS
            or (name == "write" and owner in STREAMS)
            or (
                name == "exit"
                and (owner == "sys" or any(k.arg == "message" for k in call.keywords))
            )
            or (name == "print" and owner != "self")
            or (name == "warn" and owner == "warnings")
            or (owner in LOGGERS and name in LOG_METHODS)
        )
    else:
        return None
    is_plain = any(
        keyword.arg == "markup"
        and isinstance(keyword.value, ast.Constant)
        and not keyword.value.value
        for keyword in call.keywords
    )
    return name if is_sink and not is_plain else None


def _drawn(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    yield from (word.value for word in call.keywords if word.arg in DRAWN_ARGUMENTS)
