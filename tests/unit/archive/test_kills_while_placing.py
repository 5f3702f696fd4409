"""Ended by SIGKILL before each rename and each removal in turn, the next run ends as if nothing had been."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bundler.archive import unpack as unpacking
from bundler.archive.bundle_removal import remove_bundle
from bundler.archive.bundle_root import opened_root
from bundler.archive.unpack_beside import unpack_beside
from bundler.archive.verify import verify_tree
from bundler.errors import IntegrityError
from bundler.model.progress import Unwatched
from bundler.model.subset import ALL, Choice
from bundler.source.open_source import open_source
from tests.unit.archive.bundles import sample

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PART, MORE = Choice(only=("kubeedge/*",)), Choice(only=("harbor/*",))
OPERATIONS = ("os.rename", "os.remove", "os.rmdir")
MAX_OPERATIONS = 100


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    sample(tmp_path).write(tmp_path / "demo.tar.gz")
    return tmp_path / "demo.tar.gz"


def into(archive: Path, place: Path, choice: Choice = ALL) -> Path:
    with open_source(str(archive)) as reader:
        return unpacking.unpack(reader, place / "tree", Unwatched(), choice=choice).directory


def beside(archive: Path, place: Path, choice: Choice = ALL) -> Path:
    with open_source(str(archive)) as reader:
        return unpack_beside(reader, place / "root", Unwatched(), choice=choice).directory


def killed_before(number: int, work: Callable[[], object]) -> bool:
    """Do some work in a child that is killed before its so-manieth operation; False when it has fewer."""
    child = os.fork()
    if child == 0:
        left = number

        def count(event: str, _: tuple[object, ...]) -> None:
            nonlocal left
            left -= event in OPERATIONS
            if not left and event in OPERATIONS:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        work()
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0


@dataclass(frozen=True)
class Case:
    """What is there before, what is done, and whether all of the bundle is there in the end."""

    put: Callable[[Path, Path, Choice], Path]
    before: Choice | None
    choice: Choice
    whole: bool


CASES = {
    "a part": Case(into, None, PART, False),
    "more of it": Case(into, PART, MORE, False),
    "the rest": Case(into, PART, ALL, True),
    "a part beside": Case(beside, None, PART, False),
    "more of it beside": Case(beside, PART, MORE, False),
    "the rest beside": Case(beside, PART, ALL, True),
}


@pytest.mark.parametrize("name", CASES)
def test_a_tree_is_never_less_than_it_says(tmp_path: Path, archive: Path, name: str) -> None:
    case = CASES[name]
    for number in range(1, MAX_OPERATIONS):
        place = tmp_path / "place"
        if case.before is not None:
            case.put(archive, place, case.before)
        going_on = killed_before(number, partial(case.put, archive, place, case.choice))
        for index in place.glob("*/bundle.json"):
            assert verify_tree(index.parent, Unwatched()).intact, number
        tree = case.put(archive, place, case.choice)
        report = verify_tree(tree, Unwatched(), strict=True)
        assert (report.intact, bool(report.left_out)) == (True, not case.whole), (number, report)
        shutil.rmtree(place)
        if not going_on:
            break
    assert 3 < number < MAX_OPERATIONS - 1


def test_what_a_completion_left_does_not_hinder_removal(tmp_path: Path, archive: Path) -> None:
    for number in range(1, 6):
        tree = beside(archive, tmp_path, PART)
        assert killed_before(number, lambda: beside(archive, tmp_path))
        with opened_root(tree.parent) as root:
            remove_bundle(root, tree.name)
        assert list(tree.parent.iterdir()) == [], number


def test_a_root_that_was_made_for_nothing_goes_again(tmp_path: Path, archive: Path) -> None:
    (tmp_path / "new").mkdir()
    part = into(archive, tmp_path / "whole", PART)
    (part / "subset.json").unlink()
    with pytest.raises(IntegrityError, match="missing"):
        beside(part, tmp_path / "new")
    assert not (tmp_path / "new/root").exists()
    assert (tmp_path / "new").exists()
