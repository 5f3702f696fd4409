"""One word per idea: no class and no file name with two meanings, and no name in a text of something that is gone."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.contract.checkout import PRODUCT, ROOT, python_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

# names that once stood for eight and for four things
DEFINED_ONCE = ("Outcome", "Run", "Fields", "Document")
# words that need a second reading, as parts of a name or as the whole of it
ARCHAIC_PARTS = {"told", "said"}
ARCHAIC_NAMES = {"looked_in", "worth_a_look", "see_to_index", "MOST_IN_VAIN"}
# Files that share a name share its meaning; a command's file in `cli` is named after the command. Further shared names
# need an entry here, or another name.
SHARED_FILE_NAMES = {
    "__init__": "what a package holds, and where to begin",
    "__main__": "the program",
    "applying": "doing what was made before: steps of a host, patches of a file",
    "artifact": "artifacts, pinned: what they have in common, and those of a kind",
    "disagreements": "how the pins of an entry of a kind are not what it asks for",
    "entry": "an entry of a kind, as the manifest wants it",
    "errors": "errors: bundler's classes, and what a registry's refusals become",
    "fetching": "from artifacts to verified blobs: of a kind, and of all of them",
    "interface": "the Protocols that a package needs or implements",
    "kind": "a kind of content",
    "locking": "from entries to artifacts: of a kind, and of all of them",
    "reading": "from YAML to entries of a kind",
    "retry": "how often to try, and how long to wait",
    "robots": "robot accounts of a Harbor: its API, and what is done with it",
    "schema": "JSON schemas: of the manifest, and of a kind's entries",
    "server": "a server of one protocol",
    "thread_work": "work that an event loop hands to threads",
    "tls": "TLS contexts",
    "transport": "HTTP requests: to any server, and to one repository of a registry",
    "worker": "a worker process",
}
# files, functions, constants and programs of other projects that texts cite
FILES_ELSEWHERE = {"metalink.py", "dnf/base.py", "dnf/cli/commands/module.py"}
NAMES_ELSEWHERE = {
    *("cr_is_primary", "group_package_types", "headerIsSource", "isSecureIndex", "setModuleExcludes"),
    *("sha256sum", "sha512sum", "splitDockerDomain", "HY_FORMS_MOST_SPEC", "compress_thread"),
    # an engine's own words, and what stands for a value
    *("Pushing", "Pushed", "PROJECT"),
}

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

_FILE = re.compile(r"(?<![\w/.-])((?:[\w-]+/)*[\w-]+\.py)\b")
_QUOTED = re.compile(r"`([A-Za-z_]\w*(?:\.\w+)*)(?:\(\))?`")
_OUR_MODULE = re.compile(r"`((?:bundler|mirror|scripts)(?:\.\w+)+)`")
_WORD = re.compile(r"[\w./:-]+")
_FILE_ENDING = re.compile(r"asc|conf|css|gz|html|js|json|md|pem|py|repo|sh|toml|xml|yaml")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the comments and docstrings of a Python file, or the lines of a page, each with its line."""
    text = path.read_text()
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(_tree(path)):
        if isinstance(node, Documented) and (docstring := ast.get_docstring(node)):
            yield node.body[0].lineno, docstring


def _defined(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the classes of a module and what it assigns to names at its top, type aliases among them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.lineno, node.name
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets += [node.target] if isinstance(node, ast.AnnAssign) else []
        yield from ((node.lineno, target.id) for target in targets if isinstance(target, ast.Name))


def _identifiers(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.alias(asname=str(name)):
                yield node.lineno, name
            case _:
                continue


@cache
def _names_by_module() -> dict[str, set[str]]:
    """Return module -> every identifier in it, and the parts of its texts that are one word (options, keys, values)."""
    found: dict[str, set[str]] = {}
    for path in python_files(*PRODUCT, "scripts"):
        names = {name for _, name in _identifiers(_tree(path))}
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.alias):
                names |= {*node.name.split("."), node.asname or ""}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _WORD.fullmatch(node.value):
                names |= set(re.findall(r"\w+", node.value))
        found[_module(path)] = names
    return found


@cache
def _known_words() -> frozenset[str]:
    modules = _names_by_module()
    return frozenset().union(*modules.values(), *(module.split(".") for module in modules))


@cache
def _libraries() -> frozenset[str]:
    """Return the first words of everything imported that is not ours."""
    found: set[str] = set()
    for path in python_files(*PRODUCT):
        for node in ast.walk(_tree(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {name.partition(".")[0] for name in names}
    return frozenset(found - set(PRODUCT))


def _is_there(name: str) -> bool:
    """Tell whether a name in backticks, perhaps with dots, is a module, something in one, or a word of the code."""
    modules, (first, *rest) = _names_by_module(), name.split(".")
    if rest and _FILE_ENDING.fullmatch(rest[-1]):
        return True
    if not rest:
        return first in _known_words() or first in NAMES_ELSEWHERE
    if first in (*PRODUCT, "scripts"):
        package, _, last = name.rpartition(".")
        return name in modules or last in modules.get(package, set())
    if first[0].isupper():
        return {first, *rest} <= _known_words() | NAMES_ELSEWHERE
    # the attribute of a variable looks like a module's function: only what is a function or class somewhere is checked
    if first in _libraries() or rest[0] not in _functions_and_classes():
        return True
    return any(rest[0] in names for module, names in modules.items() if module.rpartition(".")[2] == first)


@cache
def _functions_and_classes() -> frozenset[str]:
    nodes = (node for path in python_files(*PRODUCT) for node in _tree(path).body)
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef))


def test_words_for_results_are_defined_once() -> None:
    found = defaultdict(list)
    for path in python_files(*PRODUCT):
        for line, name in _defined(_tree(path)):
            if name.lstrip("_") in DEFINED_ONCE:
                found[name.lstrip("_")].append(f"{path.relative_to(ROOT)}:{line}")
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def test_no_class_has_the_name_of_another() -> None:
    found = defaultdict(list)
    for path in python_files(*PRODUCT):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ClassDef):
                found[node.name.lstrip("_")].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def test_files_of_one_name_mean_the_same() -> None:
    found = defaultdict(list)
    for path in python_files(*PRODUCT):
        if "cli" not in path.parts and path.stem not in SHARED_FILE_NAMES:
            found[path.stem].append(str(path.relative_to(ROOT)))
    assert {stem: paths for stem, paths in found.items() if len(paths) > 1} == {}


def test_names_are_plain() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in python_files(*PRODUCT)
        for line, name in _identifiers(_tree(path))
        if _is_archaic(name)
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "told = 1",
        "self.was_told = 1",
        "def tell(said): pass",
        "async def looked_in(): pass",
        "tell(said=1)",
        "from os import path as told",
        "try: pass\nexcept OSError as said: pass",
        "match value:\n    case str(said): pass",
        "match value:\n    case int() as told: pass",
    ],
)
def test_a_name_is_seen_wherever_it_is_given(source: str) -> None:
    assert any(_is_archaic(name) for _, name in _identifiers(ast.parse(source)))


def _is_archaic(name: str) -> bool:
    return name.strip("_") in ARCHAIC_NAMES or not ARCHAIC_PARTS.isdisjoint(name.lower().split("_"))


def _missing(paths: Iterable[Path], pattern: re.Pattern[str], is_there: Callable[[str], bool]) -> list[str]:
    """Return `file:line name` for what comments, docstrings and pages name and is not there."""
    missing = []
    for path in paths:
        # telling comments from code takes its time, and few files have a suspect at all
        if all(map(is_there, pattern.findall(path.read_text()))):
            continue
        for line, text in _texts(path):
            missing += [
                f"{path.relative_to(ROOT)}:{line} {name}" for name in pattern.findall(text) if not is_there(name)
            ]
    return missing


def _known_files(*directories: str) -> set[str]:
    """Return every Python file below directories under each of its names: `pull.py`, `registry/pull.py`, …"""
    parts = [path.relative_to(ROOT).parts for path in python_files(*directories)]
    return FILES_ELSEWHERE.union("/".join(names[start:]) for names in parts for start in range(len(names)))


def _pages() -> list[Path]:
    pages = (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    # what was changed once may be gone by now
    return [path for path in pages if path.name != "CHANGELOG.md"]


def test_files_that_texts_name_are_there() -> None:
    everywhere = _known_files(*PRODUCT, "scripts", "tests")
    missing = _missing((*python_files("scripts", "tests"), *_pages()), _FILE, everywhere.__contains__)
    for package in PRODUCT:
        # a bare name means a file of the same package
        own = _known_files(package) | {name for name in everywhere if "/" in name}
        missing += _missing(python_files(package), _FILE, own.__contains__)
    assert missing == []


def test_modules_that_texts_name_are_there() -> None:
    assert _missing((*python_files(*PRODUCT, "scripts", "tests"), *_pages()), _OUR_MODULE, _is_there) == []


def test_names_that_texts_quote_are_there() -> None:
    assert _missing(python_files(*PRODUCT), _QUOTED, _is_there) == []
