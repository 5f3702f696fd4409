"""What is noticed of a root without a signal, and how little that costs while nothing happens."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bundler.archive.bundle_root import BundleRoot
from mirror.tree.root_watch import RootWatch
from tests.unit.mirror.bundle_tree import opened, write_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LATER_NS = 10_000_000_000


class CountedRoot(BundleRoot):
    """A root that counts how often it is listed."""

    listed = 0

    def directories(self) -> list[str]:
        type(self).listed += 1
        return BundleRoot.directories(self)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "root/old")
    write_bundle(tmp_path / "root/new", {"a": b""})
    (tmp_path / "root/current").symlink_to("old")
    return tmp_path / "root"


@contextmanager
def watched(root: Path) -> Iterator[RootWatch]:
    with opened(root) as handle:
        yield RootWatch(handle)


def _activate(root: Path) -> None:
    (root / ".current.partial").symlink_to("new")
    (root / ".current.partial").rename(root / "current")


def _deactivate(root: Path) -> None:
    (root / "current").unlink()


def _remove(root: Path) -> None:
    (root / "new").rename(root / ".new.removed")


def _add(root: Path) -> None:
    write_bundle(root / ".third.partial/tree")
    (root / ".third.partial/tree").rename(root / "third")


def _become_a_bundle(root: Path) -> None:
    write_bundle(root)


def _replace_in_place(root: Path) -> None:
    (root / "new/bundle.json").unlink()
    write_bundle(root / "new", {"b": b"another"})


def _complete_a_subset(root: Path) -> None:
    (root / "new/subset.json").write_text("{}")


def _let_others_read_it(root: Path) -> None:
    (root / "new/bundle.json").chmod(0o604)


def _let_others_enter(root: Path) -> None:
    (root / "new").chmod(0o705)


CHANGES = [
    *(_activate, _deactivate, _remove, _add, _become_a_bundle, _replace_in_place, _complete_a_subset),
    *(_let_others_read_it, _let_others_enter),
]


@pytest.mark.parametrize("change", CHANGES)
def test_another_set_of_bundles_is_noticed_once(root: Path, change: Callable[[Path], None]) -> None:
    with watched(root) as watch:
        assert not watch.changed()
        change(root)
        assert watch.changed()
        assert not watch.changed()


def test_a_bundle_that_is_active_again_after_another_one_is_noticed(root: Path) -> None:
    with watched(root) as watch:
        _activate(root)
        # in between, somebody who reads the root finds the new one
        (root / ".current.partial").symlink_to("old")
        (root / ".current.partial").rename(root / "current")
        assert watch.changed()
        assert not watch.changed()


def _stage(root: Path) -> None:
    write_bundle(root / ".third.partial")


def _record(root: Path) -> None:
    (root / ".bundles.json").write_text("{}")


def _harbor(root: Path) -> None:
    (root / "harbor").mkdir()
    (root / "harbor/harbor.yml").write_text("password: x")


def _relabel(root: Path) -> None:
    os.setxattr(root / "new/bundle.json", "user.label", b"x")
    (root / "second-name").hardlink_to(root / "new/bundle.json")


def _next_link(root: Path) -> None:
    (root / ".current.partial").symlink_to("new")


@pytest.mark.parametrize("change", [_stage, _record, _harbor, _relabel, _next_link])
def test_what_is_staged_and_what_is_no_bundle_changes_nothing(root: Path, change: Callable[[Path], None]) -> None:
    with watched(root) as watch:
        change(root)
        assert not watch.changed()


def test_a_root_that_cannot_be_looked_at_any_more_is_as_it_was(root: Path) -> None:
    with opened(root) as handle:
        # nothing can be opened through such a descriptor once it is closed
        descriptor = os.dup(handle.descriptor)
        watch = RootWatch(BundleRoot(descriptor, root))
        os.close(descriptor)
        assert not watch.changed()


def test_the_root_is_listed_only_when_it_changed_or_may_have_changed_in_the_same_tick(root: Path) -> None:
    with opened(root) as handle:
        counted = CountedRoot(handle.descriptor, handle.path)
        soon = RootWatch(counted, time.time_ns)
        soon.changed()
        assert CountedRoot.listed == 2
        watch = RootWatch(counted, lambda: time.time_ns() + LATER_NS)
        before = CountedRoot.listed
        assert [watch.changed() for _ in range(5)] == [False] * 5
        assert CountedRoot.listed == before
        _activate(root)
        assert watch.changed()
        assert CountedRoot.listed == before + 1
