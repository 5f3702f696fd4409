"""No test holds how long something took: a machine that is busy would fail it. `tests/work_count.py` counts instead.

A test may hold that something took at least some time, and may give up waiting for what never comes true.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.contract.checkout import ROOT, python_files

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOCKS = {"time", "monotonic", "perf_counter", "process_time", "thread_time"}
CALL = re.compile(rf"\b(?:{'|'.join(CLOCKS)})(?:_ns)?\(")
LESS, MORE = (ast.Lt, ast.LtE), (ast.Gt, ast.GtE)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _reads_a_clock(node: ast.AST) -> bool:
    """Tell whether an expression calls a clock of `time`, by its own name or by the module's."""
    calls = (part for part in ast.walk(node) if isinstance(part, ast.Call))
    return any(ast.unparse(call.func).removeprefix("time.").removesuffix("_ns") in CLOCKS for call in calls)


class _Durations:
    """What stands for a duration in one file: differences of clocks, and the names of what is computed from them."""

    def __init__(self, tree: ast.Module) -> None:
        self._names: set[str] = set()
        while new := set(self._computed(tree)) - self._names:
            self._names |= new

    def _computed(self, tree: ast.Module) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and self.measured(node.value):
                yield from (part.id for part in node.targets if isinstance(part, ast.Name))
            elif isinstance(node, Function) and any(
                isinstance(part, ast.Return) and part.value and self.measured(part.value) for part in ast.walk(node)
            ):
                yield node.name

    def measured(self, node: ast.AST) -> bool:
        """Tell whether an expression depends on a duration."""
        return any(
            (isinstance(part, ast.Name) and part.id in self._names)
            or (isinstance(part, ast.BinOp) and isinstance(part.op, ast.Sub) and _reads_a_clock(part))
            for part in ast.walk(node)
        )


def _timed(source: str) -> list[int]:
    """Return the lines with assertions that hold how long something took at most."""
    tree = ast.parse(source)
    durations = _Durations(tree)
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.While)]
    waiting = {part for loop in loops for part in ast.walk(loop) if isinstance(part, ast.Assert)}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
        if (durations.measured(node.test) and not _holds_the_least(node.test, durations))
        or (node not in waiting and _is_before(node.test))
    ]


def _holds_the_least(test: ast.expr, durations: _Durations) -> bool:
    """Tell whether an assertion says that a duration was that long or longer, and nothing else."""
    match test:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            longer, shorter = (left, right) if isinstance(op, MORE) else (right, left)
            return isinstance(op, (*LESS, *MORE)) and durations.measured(longer) and not durations.measured(shorter)
        case _:
            return False


def _is_before(test: ast.expr) -> bool:
    """Tell whether an assertion says that it is not yet as late as that."""
    match test:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _reads_a_clock(left if isinstance(op, LESS) else right) and isinstance(op, (*LESS, *MORE))
        case _:
            return False


def test_no_test_holds_how_long_something_took() -> None:
    sources = {path: path.read_text() for path in python_files("tests")}
    with_clocks = {path: source for path, source in sources.items() if CALL.search(source)}
    found = [f"{path.relative_to(ROOT)}:{line}" for path, source in with_clocks.items() for line in _timed(source)]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "began = time.monotonic()\nassert time.monotonic() - began < 2",
        "began = perf_counter()\nassert 2 > perf_counter() - began",
        "began = time.process_time_ns()\nlasted = time.process_time_ns() - began\nhalf = lasted / 2\nassert half <= 2",
        "def seconds():\n    begun = time.time()\n    return time.time() - begun\nassert seconds() < 30 * seconds()",
        "took = time.thread_time() - 1\nassert 8 / took == approx(2)",
        "took = time.thread_time() - 1\nassert not took > 2",
        "assert 1 < time.monotonic() - began < 2",
        "until = time.monotonic() + 1\nassert time.monotonic() < until",
    ],
)
def test_a_test_that_does_is_found(source: str) -> None:
    assert _timed(source) == [source.count("\n") + 1]


@pytest.mark.parametrize(
    "source",
    [
        "began = time.monotonic()\nassert time.monotonic() - began >= 0.2",
        "assert 0.2 < time.monotonic() - began",
        "until = time.monotonic() + 60\nwhile not is_ready():\n    assert time.monotonic() < until",
        "lasts_s = (time.monotonic() - began) / 2\ncut(after_s=lasts_s)",
        "assert path.stat().st_size - 1 < 2",
    ],
)
def test_one_that_waits_or_holds_the_least_is_let_be(source: str) -> None:
    assert _timed(source) == []
