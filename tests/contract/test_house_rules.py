"""What keeps the code readable, as far as a machine can tell (ruff and mypy hold the rest)."""

from __future__ import annotations

import ast
import statistics
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.contract.checkout import PRODUCT, ROOT, python_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_FILE_LINES = 400
MEDIAN_FILE_LINES = 130
MAX_FUNCTION_LINES = 80
USUAL_FUNCTION_LINES = 40
USUAL_SHARE = 0.9
MAX_COMMAND_LINES = 15
EVASIVE_NAMES = {"utils", "util", "helpers", "helper", "manager", "data", "info", "common", "misc"}
ENDS_THE_PROCESS = {"sys.exit", "os._exit", "exit", "quit", "SystemExit"}
# what a value would need to look at the clock, the machine or the disk
IMPURE = {
    *("time", "random", "secrets", "uuid"),
    *("os", "platform", "locale", "getpass", "socket", "subprocess", "tempfile", "shutil", "glob"),
}
IMPURE_CALLS = {"open", "input", "now", "utcnow", "today", "read_bytes", "read_text"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def _functions(*directories: str) -> Iterator[tuple[str, int]]:
    """Yield `file:line name` and the number of lines of every function."""
    for path in python_files(*directories):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, Function):
                yield f"{_named(path)}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def _below_the_boundary() -> Iterator[Path]:
    """Yield the product's files in which nothing may print or end the process."""
    for path in python_files(*PRODUCT):
        if "cli" not in path.parts and path.name not in ("console.py", "__main__.py"):
            yield path


@cache
def _calls(path: Path) -> tuple[tuple[int, str], ...]:
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return tuple((node.lineno, ast.unparse(node.func)) for node in calls)


def test_no_file_is_too_long() -> None:
    long = {_named(path): _lines(path) for path in python_files(*PRODUCT, "scripts", "tests")}
    assert {name: lines for name, lines in long.items() if lines > MAX_FILE_LINES} == {}


def test_no_function_is_too_long() -> None:
    functions = _functions(*PRODUCT, "scripts", "tests")
    assert {name: lines for name, lines in functions if lines > MAX_FUNCTION_LINES} == {}


def test_most_files_and_functions_are_short() -> None:
    assert statistics.median(_lines(path) for path in python_files(*PRODUCT)) <= MEDIAN_FILE_LINES
    lengths = [lines for _, lines in _functions(*PRODUCT)]
    assert sum(lines <= USUAL_FUNCTION_LINES for lines in lengths) >= USUAL_SHARE * len(lengths)


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [_named(path) for path in python_files(*PRODUCT, "scripts", "tests") if path.stem in EVASIVE_NAMES] == []


@pytest.mark.parametrize("forbidden", ["print", *sorted(ENDS_THE_PROCESS)])
def test_nothing_below_the_boundary_prints_or_ends_the_process(forbidden: str) -> None:
    found = [
        f"{_named(path)}:{line}" for path in _below_the_boundary() for line, name in _calls(path) if name == forbidden
    ]
    assert found == []


def test_values_look_at_no_clock_machine_or_disk() -> None:
    found = []
    for path in python_files("bundler/model"):
        tree = ast.parse(path.read_text())
        imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        imported += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        found += [f"{_named(path)} imports {name}" for name in imported if name.partition(".")[0] in IMPURE]
        found += [
            f"{_named(path)}:{line} calls {name}"
            for line, name in _calls(path)
            if name.rpartition(".")[2] in IMPURE_CALLS
        ]
    assert found == []


def test_every_module_and_whatever_it_offers_says_what_it_is_for() -> None:
    silent = []
    for path in python_files(*PRODUCT):
        tree = ast.parse(path.read_text())
        # a package that only holds others may say nothing
        offered = [part for node in _offered(tree) for part in (node, *_offered(node))]
        silent += [_named(path)] if tree.body and ast.get_docstring(tree) is None else []
        silent += [f"{_named(path)}:{node.lineno} {node.name}" for node in offered if ast.get_docstring(node) is None]
    assert silent == []


def _offered(owner: ast.Module | Function | ast.ClassDef) -> list[Function | ast.ClassDef]:
    """Return the public definitions of a module or class; a function offers none."""
    body = [] if isinstance(owner, Function) else owner.body
    return [node for node in body if isinstance(node, Function | ast.ClassDef) and node.name[0] != "_"]


def test_every_dataclass_has_slots() -> None:
    found = [
        f"{_named(path)}:{node.lineno} {node.name}"
        for path in python_files(*PRODUCT)
        for node in ast.walk(ast.parse(path.read_text()))
        # an exception has a dictionary of its own, slots or not
        if isinstance(node, ast.ClassDef) and not node.name.endswith("Error")
        if any("dataclass" in mark and "slots=True" not in mark for mark in _marks(node))
    ]
    assert found == []


def test_the_body_of_a_command_is_wiring() -> None:
    long = {}
    for path in python_files("bundler/cli", "mirror/cli"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, Function) and any(mark.partition("(")[0].endswith("command") for mark in _marks(node)):
                body = node.body[1:]
                long[f"{_named(path)} {node.name}"] = (body[-1].end_lineno or 0) - body[0].lineno + 1
    assert len(long) > 10
    assert {name: lines for name, lines in long.items() if lines > MAX_COMMAND_LINES} == {}


def test_nothing_is_patched_by_its_path() -> None:
    assert [place for path in python_files("tests") for place in _patches(path)] == []


def _patches(path: Path) -> Iterator[str]:
    """Yield where a module's own names are replaced; an object that the test has made is the test's."""
    tree = ast.parse(path.read_text())
    modules = {
        alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            replaces = name.endswith(("monkeypatch.setattr", "monkeypatch.delattr")) and node.args
            by_path = replaces and (isinstance(node.args[0], ast.Constant) or ast.unparse(node.args[0]) in modules)
            if by_path or name == "patch" or name.startswith(("mock.", "patch.object", "patch.dict", "patch.multiple")):
                yield f"{_named(path)}:{node.lineno} {name}"


def _marks(node: Function | ast.ClassDef) -> list[str]:
    return [ast.unparse(mark) for mark in node.decorator_list]
