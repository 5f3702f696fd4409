"""What the code and the pages cite is there: pages, sections, decisions, tests. The index of decisions is whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bundler.site.roles import CLOUD, EDGE
from tests.contract.checkout import PRODUCT, ROOT, python_files

if TYPE_CHECKING:
    from pathlib import Path

ADRS = ROOT / "docs" / "adr"
# docs/errors.md, docs/adr/0007; a page of somebody else's has its owner before it (containerd's docs/hosts.md)
_PAGE = re.compile(r"(?<!'s )\bdocs/(adr/\d{4}|[\w.-]+\.md\b)")
_ADR = re.compile(r"\bADRs? (\d+)")
_SECTIONS = re.compile(r"docs/design\.md, (\d+(?:(?:, | and )\d+)*)")
_TEST = re.compile(r"\b(test_\w+\.py)\b")
_TEST_FUNCTION = re.compile(r"`((?:unit|integration|contract)/[\w/]+\.py)::(test_\w+)`")
_DEFECT = re.compile(r"^\| (\d+) \| .+ \| .+ \| `[\w/]+\.py::test_\w+` \|$", re.MULTILINE)
DEFECTS_OF_THE_GUIDE = 42
_INDEX_ROW = re.compile(r"^\| (\d+) \| \[(.+)\]\((\S+)\) \| (\S.*\S) \|$", re.MULTILINE)


def _cited(pattern: re.Pattern[str]) -> set[tuple[str, str]]:
    """Return what a pattern's group finds in all Python files, each with the file that says so."""
    files = python_files(*PRODUCT, "scripts", "tests")
    texts = ((str(path.relative_to(ROOT)), _unwrapped(path.read_text())) for path in files)
    return {(name, found) for name, text in texts for found in pattern.findall(text)}


def _unwrapped(text: str) -> str:
    """Return a text in which what a line's end parts stands on one line, comments included."""
    return re.sub(r"\n[ \t]*(?:#[ \t]*)?", " ", text)


def test_every_page_that_the_code_cites_exists() -> None:
    cited = _cited(_PAGE)
    assert len(cited) > 5
    # a decision is cited by its number, another page by its whole name
    assert [place for place in sorted(cited) if not list((ROOT / "docs").glob(f"{place[1]}*"))] == []


def test_every_decision_that_the_code_or_a_page_cites_exists() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    cited = _cited(_ADR) | {(page.name, number) for page in pages for number in _ADR.findall(page.read_text())}
    assert [place for place in sorted(cited) if not list(ADRS.glob(f"{int(place[1]):04}-*.md"))] == []


def test_every_section_of_the_design_that_the_code_cites_exists() -> None:
    sections = set(re.findall(r"^## (\d+)\. ", (ROOT / "docs" / "design.md").read_text(), re.MULTILINE))
    cited = {(file, number) for file, numbers in _cited(_SECTIONS) for number in re.findall(r"\d+", numbers)}
    assert [place for place in sorted(cited) if place[1] not in sections] == []


def test_every_test_that_a_page_names_exists() -> None:
    known = {path.name for path in python_files("tests")}
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    named = {(page.name, name) for page in pages for name in _TEST.findall(page.read_text())}
    assert len(named) > 10
    assert [place for place in sorted(named) if place[1] not in known] == []


def test_every_test_that_a_page_names_by_its_function_exists() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    named = {(page.name, *found) for page in pages for found in _TEST_FUNCTION.findall(page.read_text())}
    assert len(named) > DEFECTS_OF_THE_GUIDE
    wrong = [place for place in sorted(named) if not _defines(ROOT / "tests" / place[1], place[2])]
    assert wrong == []


def _defines(file: Path, function: str) -> bool:
    return file.exists() and f"def {function}(" in file.read_text()


@pytest.mark.parametrize("page", ["docs/site.md", "docs/site.zh-CN.md"])
def test_every_defect_of_the_guide_has_a_line_and_every_step_a_place(page: str) -> None:
    text = (ROOT / page).read_text()
    assert [int(number) for number in _DEFECT.findall(text)] == list(range(1, DEFECTS_OF_THE_GUIDE + 1))
    headings = " ".join(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert [step.name for step in (*CLOUD, *EDGE) if not re.search(rf"\b{step.name}\b", headings)] == []


def test_the_index_of_decisions_has_every_page_under_its_own_title() -> None:
    rows = _INDEX_ROW.findall((ADRS / "README.md").read_text())
    listed = [(int(number), title, page) for number, title, page, _ in rows]
    there = []
    for page in ADRS.glob("[0-9]*.md"):
        number, _, title = page.read_text().partition("\n")[0].removeprefix("# ").partition(". ")
        there.append((int(number), title, page.name))
        assert page.name.startswith(f"{int(number):04}-")
    assert listed == sorted(there)
    assert len({number for number, *_ in listed}) == len(listed)


def test_the_design_is_cited_by_its_page() -> None:
    assert sorted(_cited(re.compile(r"\b([Dd]esign sections?)\b"))) == []
