"""Every error id is raised somewhere, and both languages of docs/errors say its cause and remedy."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bundler import errors
from bundler.errors import BundlerError, ErrorId
from tests.contract.checkout import PRODUCT, ROOT, python_files

if TYPE_CHECKING:
    from collections.abc import Iterator

# each page's words for the code that the program ends with, what went wrong, and what to do
PAGES = {
    "docs/errors.md": (r"Exit (\d+)\.", r"\*\*Cause\.\*\* *(\S.+)", r"\*\*Remedy\.\*\* *(\S.+)"),
    "docs/errors.zh-CN.md": (r"退出码 (\d+)。", r"\*\*原因。\*\* *(\S.+)", r"\*\*处理。\*\* *(\S.+)"),
}
MIN_CHARACTERS = 6
TEXTS = {"what", "sentence", "remedy"}


@dataclass(frozen=True, slots=True)
class Explained:
    """What a page says of one id."""

    exit_code: int
    cause: str
    remedy: str


def _explained(page: str) -> dict[str, Explained]:
    """Return id -> what its section says; a section is headed by the id alone."""
    sections = re.split(r"^## +`?([a-z0-9-]+)`?$", (ROOT / page).read_text(), flags=re.MULTILINE)
    found = {}
    for error_id, body in zip(sections[1::2], sections[2::2], strict=True):
        said = [re.search(pattern, body) for pattern in PAGES[page]]
        exit_code, cause, remedy = (match[1] if match else "" for match in said)
        found[error_id] = Explained(int(exit_code or -1), cause, remedy)
    return found


def _raised_as() -> dict[str, set[int]]:
    """Return id -> exit codes of the classes it is given to; an empty set where only its use is seen."""
    codes = {name: kind.exit_code for name, kind in vars(errors).items() if _is_error(kind)}
    found: dict[str, set[int]] = defaultdict(set)
    for path in python_files(*PRODUCT):
        if path.name == "errors.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if error_id := _id_named(node):
                found[error_id].update()
            if isinstance(node, ast.Call) and (name := ast.unparse(node.func)) in codes:
                # ToolMissingError is the one class that brings its id along
                given = "tool-missing" if name == "ToolMissingError" else "".join(map(_id_named, node.args[:1]))
                found[given].add(codes[name])
    return found


def _id_named(node: ast.AST) -> str:
    """Return the id that an expression `ErrorId.NAME` stands for, or ""."""
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "ErrorId":
        return str(ErrorId[node.attr])
    return ""


def _is_error(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BundlerError)


def _taken_apart(source: str) -> Iterator[int]:
    """Yield the lines that search, cut or match the text of one of our errors."""
    ours = {name for name, kind in vars(errors).items() if _is_error(kind)} | {"Exception"}
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if any(_is_text(part, frozenset({"error", "failure"})) for part in _searched(node)):
            yield node.lineno  # type: ignore[attr-defined] # of expressions, which `_searched` knows
        if isinstance(node, ast.ExceptHandler) and node.name and ours & _words(node.type):
            for inner in ast.walk(node):
                if any(_is_whole_text(part, node.name) for part in _searched(inner)):
                    yield inner.lineno  # type: ignore[attr-defined] # see above


def _searched(node: ast.AST) -> list[ast.expr]:
    """Return what an expression looks for something in."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re")), args=args):
            return args
        case ast.Call(func=ast.Attribute(value=value)) | ast.Subscript(value=value):
            return [value]
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=texts):
            return texts
        case _:
            return []


def _is_text(node: ast.expr, names: frozenset[str]) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return name in names and attribute in TEXTS
        case _:
            return False


def _is_whole_text(node: ast.expr, name: str) -> bool:
    return _is_text(node, frozenset({name})) or ast.unparse(node) == f"str({name})"


def _words(node: ast.expr | None) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} if node else set()


@pytest.mark.parametrize("page", PAGES)
def test_every_id_has_cause_and_remedy(page: str) -> None:
    explained = _explained(page)
    assert set(explained) == {str(error_id) for error_id in ErrorId}
    short = {
        error_id: entry
        for error_id, entry in explained.items()
        if min(len(entry.cause), len(entry.remedy)) < MIN_CHARACTERS
    }
    assert short == {}


@pytest.mark.parametrize("page", PAGES)
def test_pages_name_the_exit_code_that_the_program_ends_with(page: str) -> None:
    raised = _raised_as()
    said = {error_id: entry.exit_code for error_id, entry in _explained(page).items()}
    assert {error_id: code for error_id, code in said.items() if code not in (raised[error_id] or {code})} == {}


def test_both_languages_keep_one_order() -> None:
    english, chinese = ([(key, entry.exit_code) for key, entry in _explained(page).items()] for page in PAGES)
    assert english == chinese


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", *PAGES])
def test_every_exit_code_is_listed(page: str) -> None:
    codes = {kind.exit_code for kind in vars(errors).values() if _is_error(kind) and kind is not BundlerError}
    # of a page of errors only what stands before the ids
    head = re.split(r"^## +`?[a-z0-9-]+`?$", (ROOT / page).read_text(), maxsplit=1, flags=re.MULTILINE)[0]
    listed = re.findall(r"^\| (\d+)(?:[,、] ?\d+)? \|", head, re.MULTILINE) or re.findall(
        r"(?<!\w)(\d{1,2}) ?(?=\w)", head
    )
    assert codes - {int(code) for code in listed} == set()


def test_every_id_is_raised() -> None:
    assert {str(error_id) for error_id in ErrorId} - set(_raised_as()) == set()


def test_nobody_takes_the_text_of_an_error_to_pieces() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in python_files(*PRODUCT)
        for line in sorted(set(_taken_apart(path.read_text())))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        'what = error.what.removesuffix("x")',
        'if "--client-cert" in failure.remedy: pass',
        'if "quota" not in error.sentence: pass',
        "what = error.what[4:]",
        'what = re.sub("x", "", error.what)',
        'try: act()\nexcept SourceError as refusal: what = refusal.what.replace("x", "")',
        'try: act()\nexcept (OSError, StorageError) as error: what = str(error).removeprefix("x")',
        "try: act()\nexcept Exception as error:\n    if 'x' in str(error): raise",
    ],
)
def test_a_text_that_is_taken_to_pieces_is_found(source: str) -> None:
    assert list(_taken_apart(source)) != []


@pytest.mark.parametrize(
    "source",
    [
        'raise error.with_context(f"{error.what}, {error.remedy}") from error',
        "try: act()\nexcept ftplib.error_perm as error: code = str(error)[:3]",
        "try: act()\nexcept SourceError as error: lines.append(str(error))",
    ],
)
def test_a_text_that_is_quoted_is_left_alone(source: str) -> None:
    assert list(_taken_apart(source)) == []
