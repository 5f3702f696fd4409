"""What the process that compares a bundle does: every file once, to the end or until nobody listens."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mirror.shared.comparisons import Comparisons
from mirror.worker.bundle_comparison import compare_bundle
from mirror.worker.control import control_pair
from tests.unit.mirror.bundle_tree import CONTENTS, opened, site_of, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from mirror.tree.comparison import Comparison
    from mirror.tree.site import Site

FILE = "kubeedge/keadm-amd64"


def _compared(site: Site, *, listens: bool = True) -> tuple[Comparison | None, list[int], int]:
    """Compare in a process of its own; return how far it came, what it found, and at which priority it did."""
    (bundle,) = site.bundles
    comparisons = Comparisons()
    assert comparisons.claim(bundle.fingerprint) == 0
    ours, theirs = control_pair()
    if not listens:
        ours.close()
    if (pid := os.fork()) == 0:
        ours.close()
        code = 1
        try:
            compare_bundle(bundle, comparisons, theirs)
            code = os.nice(0)
        finally:
            os._exit(code)
    theirs.close()
    _, status = os.waitpid(pid, 0)
    ours.close()
    return comparisons.find(bundle.fingerprint), list(comparisons.wrong_files(bundle.fingerprint)), status >> 8


def test_every_file_is_read_once_at_the_lowest_priority(tmp_path: Path) -> None:
    with opened(write_bundle(tmp_path / "root")) as root:
        found, wrong, priority = _compared(site_of(root))
    assert found is not None
    assert (found.is_over, found.files, found.wrong) == (True, len(CONTENTS) + 2, 0)
    assert found.size > sum(map(len, CONTENTS.values()))
    assert found.ended_s > 0
    assert (wrong, priority) == ([], 19)


def test_wrong_and_missing_files_are_named_and_those_that_were_replaced_are_not(tmp_path: Path) -> None:
    place = write_bundle(tmp_path / "root")
    with opened(place) as root:
        site = site_of(root)
        (bundle,) = site.bundles
        (place / FILE).write_bytes(b"\0" * len(CONTENTS[FILE]))
        (place / "empty").unlink()
        again = (place / "yum/repodata/repomd.xml").read_bytes()
        (place / "yum/repodata/repomd.xml").unlink()
        (place / "yum/repodata/repomd.xml").write_bytes(again)
        found, wrong, _ = _compared(site)
    assert found is not None
    assert found.wrong == 2
    assert {bundle.file(number).path for number in wrong} == {FILE, "empty"}


def test_what_is_refused_already_is_passed_over(tmp_path: Path) -> None:
    place = write_bundle(tmp_path / "root")
    (place / FILE).unlink()
    with opened(place) as root:
        found, wrong, _ = _compared(site_of(root))
    assert found is not None
    assert (found.is_over, wrong) == (True, [])


def test_nobody_who_listens_is_its_end(tmp_path: Path) -> None:
    with opened(write_bundle(tmp_path / "root")) as root:
        found, _, _ = _compared(site_of(root), listens=False)
    assert found is None or not found.is_over


def test_what_nobody_claimed_is_not_read(tmp_path: Path) -> None:
    with opened(write_bundle(tmp_path / "root")) as root:
        (bundle,) = site_of(root).bundles
        ours, theirs = control_pair()
        compare_bundle(bundle, Comparisons(), theirs)
        ours.close()
        theirs.close()
    assert os.nice(0) < 19
