"""What the pages for people say is true: their commands parse, their files exist, both languages say the same."""

from __future__ import annotations

import os
import re
import shlex
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from bundler.kinds import KINDS
from bundler.manifest.header import HEADER_KEYS
from bundler.site.config.reading import (
    DOCKER_KEYS,
    HOST_KEYS,
    KUBEEDGE_KEYS,
    MIRROR_KEYS,
    REGISTRY_KEYS,
    TOP_KEYS,
)
from tests.contract.checkout import ROOT, python_files
from tests.contract.command_line import PROGRAMS, commands, usage_problem

if TYPE_CHECKING:
    from pathlib import Path

READMES = ("README.md", "README.zh-CN.md")
IN_TWO_LANGUAGES = (
    READMES,
    *(
        (f"docs/{page}.md", f"docs/{page}.zh-CN.md")
        for page in ("carry", "formats", "errors", "mirror", "push", "site", "materials")
    ),
)
PAGES = sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SHELL_WORDS = {"|", ">", "<", "&&", "||", ";", "&", ">>"}
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _blocks(page: str) -> list[tuple[str, str]]:
    """Return language and body of every fenced block."""
    return _BLOCK.findall((ROOT / page).read_text())


def _commands(page: str) -> list[list[str]]:
    """Return every simple command of the page's shell blocks as words, continued lines joined."""
    found = []
    for language, body in _blocks(page):
        if language not in ("sh", "bash", "shell", "console"):
            continue
        for line in body.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
            lexer.commenters = "#"
            lexer.whitespace_split = True
            words: list[str] = []
            for word in [*lexer, ";"]:
                if word not in SHELL_WORDS:
                    words.append(word)
                elif words:
                    found.append(words)
                    words = []
    return found


def _prose(page: str) -> str:
    return _BLOCK.sub("", (ROOT / page).read_text())


@pytest.mark.parametrize("page", PAGES)
def test_commands_parse(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # options that open files do so while they are parsed
    for name in ("manifests", "scripts"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    problems = {shlex.join(words): usage_problem(words) for words in _commands(page) if words[0] in PROGRAMS}
    assert {line: problem for line, problem in problems.items() if problem} == {}


def test_readmes_show_the_main_job() -> None:
    shown = {tuple(words[:2]) for words in _commands("README.md")}
    assert {("bundler", name) for name in ("check", "plan", "build", "verify", "inspect", "unpack")} <= shown


@pytest.mark.parametrize("page", PAGES)
def test_commands_named_in_passing_exist(page: str) -> None:
    known = commands()
    for code in re.findall(rf"`((?:{'|'.join(PROGRAMS)}) [^`]+)`", _prose(page)):
        program, *rest = code.split()
        words = (program, *(word for word in rest if re.fullmatch(r"[a-z]+(-[a-z]+)*", word)))
        named = any(words[: len(path)] == path for path in known if len(path) > 1)
        assert named or rest[0].startswith("-"), f"{page}: {code}"


@pytest.mark.parametrize("page", PAGES)
def test_scripts_and_manifests_named_exist(page: str) -> None:
    named = set(re.findall(r"(?<![\w/.-])((?:scripts|manifests)/[\w.-]*\w)", (ROOT / page).read_text()))
    # a lock is the reader's own
    assert [name for name in sorted(named) if not name.endswith(".lock.json") and not (ROOT / name).exists()] == []
    scripts = [ROOT / name for name in named if name.startswith("scripts/") and "." not in name]
    assert [script.name for script in scripts if script.is_file() and not os.access(script, os.X_OK)] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", _prose(page))
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not (ROOT / page).parent.joinpath(target).exists()] == []


@pytest.mark.parametrize("pages", IN_TWO_LANGUAGES, ids=lambda pages: pages[0])
def test_both_languages_have_the_same_structure_and_code(pages: tuple[str, str]) -> None:
    english, chinese = ([len(marks) for marks in re.findall(r"^(#+) ", _prose(page), re.MULTILINE)] for page in pages)
    assert english == chinese
    assert _blocks(pages[0]) == _blocks(pages[1])


@pytest.mark.parametrize("pages", IN_TWO_LANGUAGES, ids=lambda pages: pages[0])
def test_tables_of_both_languages_have_the_same_rows(pages: tuple[str, str]) -> None:
    english, chinese = (len(re.findall(r"^\|", _prose(page), re.MULTILINE)) for page in pages)
    assert english == chinese


def test_the_formats_page_names_every_key_of_the_manifest() -> None:
    page = (ROOT / "docs/formats.md").read_text()
    readers = [import_module(f"{type(kind).__module__.rpartition('.')[0]}.reading") for kind in KINDS.values()]
    tables = [getattr(reader, name) for reader in readers for name in vars(reader) if name.endswith("KEYS")]
    keys = [*HEADER_KEYS, *KINDS, *(key for table in tables for key in table)]
    assert len(tables) >= len(KINDS)
    assert [key for key in keys if f"`{key}`" not in page] == []


def test_the_formats_page_names_every_key_of_a_site_and_every_answer_of_bundler_site() -> None:
    page = (ROOT / "docs/formats.md").read_text()
    tables = (TOP_KEYS, HOST_KEYS, MIRROR_KEYS, REGISTRY_KEYS, DOCKER_KEYS, KUBEEDGE_KEYS)
    assert [key for table in tables for key in table if f"`{key}`" not in page] == []
    sources = [path.read_text() for path in python_files("bundler/cli/site")]
    schemas = {schema for text in sources for schema in re.findall(r'"(bundler\.site-[a-z]+/\d+)"', text)}
    assert len(schemas) > 10
    assert [schema for schema in sorted(schemas) if f"`{schema}`" not in page] == []


def test_the_formats_page_names_every_key_of_a_lock_and_a_bundle() -> None:
    page = (ROOT / "docs/formats.md").read_text()
    owners = [path for path in python_files("bundler/model") if path.stem.endswith(("lock", "bundle", "artifact"))]
    model = [path.read_text() for path in owners]
    keys = [key for text in model for key in re.findall(r'"([a-z_]+)": ', text)]
    assert len(keys) > 30
    assert [key for key in keys if f"`{key}`" not in page] == []
