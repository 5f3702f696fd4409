"""What is told beside the answer: how much, in which colours, and what a log file keeps."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from bundler.diagnostics import Diagnostics, DiagnosticSettings, Importance, stamped
from bundler.errors import ErrorId, StorageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        (DiagnosticSettings(), {Importance.REMARK, Importance.WARNING, Importance.ERROR}),
        (DiagnosticSettings(verbose=True), set(Importance)),
        (DiagnosticSettings(quiet=True), {Importance.ERROR}),
    ],
)
def test_how_much_is_shown(settings: DiagnosticSettings, shown: set[Importance]) -> None:
    diagnostics = Diagnostics()
    diagnostics.configure(settings)
    assert {importance for importance in Importance if diagnostics.shows(importance)} == shown


def test_every_line_has_its_time() -> None:
    assert stamped("a\nb", 1_600_000_000.0625) == "2020-09-13T12:26:40.062Z a\n2020-09-13T12:26:40.062Z b\n"


def test_a_log_file_is_private_and_appended_to(tmp_path: Path) -> None:
    file = tmp_path / "log"
    for text in ("first", "second"):
        diagnostics = Diagnostics()
        diagnostics.title = f"bundler {text}"
        diagnostics.configure(DiagnosticSettings(quiet=True, log_file=file))
        diagnostics.keep(text)
        diagnostics.keep("more")
        diagnostics.reset()
        diagnostics.keep("after its end")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = [line.partition(" ")[2] for line in file.read_text().splitlines()]
    assert lines == ["bundler first", "first", "more", "bundler second", "second", "more"]


def test_a_log_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        Diagnostics().configure(DiagnosticSettings(log_file=tmp_path / "no" / "log"))
    assert caught.value.id == ErrorId.STORAGE_UNUSABLE
    assert caught.value.where.endswith("no/log")


def wants_details(settings: DiagnosticSettings) -> bool:
    diagnostics = Diagnostics()
    diagnostics.configure(settings)
    return diagnostics.wants_details


def test_details_are_wanted_where_somebody_reads_them(tmp_path: Path) -> None:
    assert not wants_details(DiagnosticSettings())
    assert wants_details(DiagnosticSettings(quiet=True, log_file=tmp_path / "log"))
    assert wants_details(DiagnosticSettings(verbose=True))


def test_colours_are_as_they_are_asked_for() -> None:
    diagnostics = Diagnostics()
    diagnostics.configure(DiagnosticSettings(color="always"))
    assert diagnostics.colors({"NO_COLOR": "1", "TERM": "dumb"}, terminal=False)
    diagnostics.configure(DiagnosticSettings(color="never"))
    assert not diagnostics.colors({}, terminal=True)


@pytest.mark.parametrize(
    ("environment", "terminal", "colored"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_by_default_a_terminal_gets_colours(environment: dict[str, str], terminal: bool, colored: bool) -> None:
    assert Diagnostics().colors(environment, terminal=terminal) is colored
