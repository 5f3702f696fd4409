"""Pictures of the page of benchmarks: drawn from its tables, valid, and as they lie beside it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from scripts.benchmarks.bar_chart import Bar, Group, chart
from scripts.benchmarks.plots import PAGE, pictures, tables

_SVG = "{http://www.w3.org/2000/svg}"
_PAGE = """
## Other
| a | b |
|---|---|
| 1 | 2 |

## Wanted

| | server |
|---|---|
| row | tar \\| pigz |

Between.

| second |
|---|
"""


def test_a_table_is_found_by_its_section_and_its_place() -> None:
    assert tables(_PAGE, "Wanted") == [[["", "server"], ["row", "tar | pigz"]], [["second"]]]


def test_the_longest_bar_of_each_group_has_the_whole_width() -> None:
    groups = [
        Group("first", [Bar("ours", 1.0, ours=True), Bar("<peer>", 2.0, ours=False)]),
        Group("second", [Bar("ours", 100.0, ours=True)]),
    ]
    drawn = ET.fromstring(chart("A title", "s", groups))  # noqa: S314 - made above
    widths = [float(bar.attrib["width"]) for bar in drawn.iter(f"{_SVG}rect") if bar.attrib["class"] != "paper"]
    assert widths[1] == widths[2] == pytest.approx(2 * widths[0], abs=0.1)
    assert drawn.findtext(f"{_SVG}title") == "A title"
    assert {"<peer>", "2 s", "100 s"} <= {text.text for text in drawn.iter(f"{_SVG}text")}


def test_the_pictures_show_what_stands_on_the_page() -> None:
    made = pictures(PAGE.read_text())
    directory = PAGE.parent / "plots"
    assert {path.name for path in directory.iterdir()} == set(made)
    # after a table has changed: scripts/bench plots
    assert {name: (directory / name).read_text() for name in made} == made
    assert all(f"](plots/{name})" in PAGE.read_text() for name in made)
    assert all("prefers-color-scheme: dark" in picture for picture in made.values())
