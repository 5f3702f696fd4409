"""What a worker says of names that mean several images."""

from __future__ import annotations

from mirror.tree.site import Site
from mirror.worker.describe import MAX_WARNINGS_SHOWN, describe, image_warnings


def test_warnings_are_told_after_what_is_served() -> None:
    lines = describe(Site((), None, problems=("a is left out",), warnings=("b means two",))).splitlines()
    assert lines[0].startswith("nothing is served")
    assert lines[1:] == ["a is left out", "b means two"]


def test_of_many_warnings_the_first_are_told_and_the_others_counted() -> None:
    lines = [f"name {number}" for number in range(MAX_WARNINGS_SHOWN + 3)]
    assert image_warnings(lines[:MAX_WARNINGS_SHOWN]) == lines[:MAX_WARNINGS_SHOWN]
    assert image_warnings(lines) == [*lines[:MAX_WARNINGS_SHOWN], "and 3 more names that mean several images"]
