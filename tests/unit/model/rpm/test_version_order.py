"""RPM's order of versions: its manual's examples, and libsolv as the oracle for everything else."""

from __future__ import annotations

import pytest
import solv
from hypothesis import given
from hypothesis import strategies as st

from bundler.model.rpm.version_order import compare_evr, compare_versions

VERSIONS = st.text(alphabet="0019azAB.~^_+-", min_size=1, max_size=12)
EVRS = st.from_regex(r"\A([0-3]:)?[0-9a~^.]{1,6}-[0-9a.]{1,5}\Z")


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.0", "1.1"),
        ("1.9", "1.10"),
        ("1.0~rc1", "1.0"),
        ("1.0", "1.0^20240101git1"),
        ("1.0^git1", "1.0.1"),
        ("1.0a", "1.0.1"),
        ("2.5", "2.5a"),
        ("9" * 5000, "1" + "0" * 5000),
    ],
)
def test_one_is_older_than_the_other(older: str, newer: str) -> None:
    assert compare_versions(older, newer) == -1
    assert compare_versions(newer, older) == 1


@pytest.mark.parametrize(("one", "other"), [("1.0", "1_0"), ("1.01", "1.1"), ("1.0.", "1.0"), ("", "...")])
def test_what_rpm_makes_no_difference_of_is_equal(one: str, other: str) -> None:
    assert compare_versions(one, other) == 0


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [("1:1.0-1", "2.0-1", 1), ("1.0-2.el7", "1.0-10.el7", -1), ("1.0", "1.0-5", 0), ("0:1.0-1", "1.0-1", 0)],
)
def test_the_epoch_goes_first_and_a_release_only_against_a_release(one: str, other: str, order: int) -> None:
    assert compare_evr(one, other) == order


@given(VERSIONS, VERSIONS)
def test_versions_are_ordered_as_libsolv_does(one: str, other: str) -> None:
    # a dash would be the release's
    one, other = (f"v{text.replace('-', '.')}" for text in (one, other))
    assert compare_versions(one, other) == _oracle(one, other)


@given(EVRS, EVRS)
def test_evrs_are_ordered_as_libsolv_does(one: str, other: str) -> None:
    assert compare_evr(one, other) == _oracle(one, other)


def _oracle(one: str, other: str) -> int:
    # the binding's objects are good only as long as their pool
    pool = solv.Pool()
    repo = pool.add_repo("versions")
    solvables = repo.add_solvable(), repo.add_solvable()
    for solvable, evr in zip(solvables, (one, other), strict=True):
        solvable.evr = evr
    order = int(solvables[0].evrcmp(solvables[1]))
    return (order > 0) - (order < 0)
