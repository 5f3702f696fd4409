"""The READMEs' moving picture: drawn from a recording that lies beside it, of commands that there are."""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as ET

import pytest

from scripts.demo_recording.__main__ import CAST, COMMANDS, PICTURE
from scripts.demo_recording.cast import PROMPT, Cast, TimedLine, load_cast
from scripts.demo_recording.terminal_picture import picture
from scripts.demo_recording.timeline import ENTER_S, KEY_S, LONGEST_WAIT_S, READ_S, timeline
from tests.contract.checkout import ROOT
from tests.contract.command_line import PROGRAMS, usage_problem

MAX_BYTES = 100_000
SMALL = Cast(
    "a <title>",
    10,
    3,
    (
        TimedLine(0.0, "$ one"),
        TimedLine(0.5, "printed & wide"),
        TimedLine(60.0, ""),
        TimedLine(60.1, "$ two"),
        TimedLine(60.2, "end"),
    ),
)


def test_a_recording_is_read_as_it_was_written() -> None:
    assert load_cast(SMALL.dump()) == SMALL
    assert SMALL.dump().startswith('{"version": 2, "width": 10, "height": 3, ')


def test_commands_are_typed_and_nobody_waits_long() -> None:
    shown = timeline(SMALL).lines
    assert [line.text for line in shown] == ["$ one", "printed & ", "wide", "", "$ two", "end"]
    printed_s = ENTER_S + 3 * KEY_S + ENTER_S + 0.5
    assert shown[0].typed_s == pytest.approx((ENTER_S, ENTER_S + 3 * KEY_S))
    assert shown[1].at_s == shown[2].at_s == pytest.approx(printed_s)
    # a minute passed
    assert shown[3].at_s == pytest.approx(printed_s + LONGEST_WAIT_S)
    assert shown[4].typed_s is not None
    assert shown[4].typed_s[0] == pytest.approx(shown[3].at_s + READ_S)


def test_a_picture_shows_every_line_and_moves_up_when_the_screen_is_full() -> None:
    drawn = picture(SMALL)
    texts = ["".join(text.itertext()) for text in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - made above
    assert texts == ["a <title>", "$ one", "printed & ", "wide", "$ two", "end"]
    column = re.search(r"@keyframes column \{ (.*) \}\n", drawn)
    assert column is not None
    # what appears at one moment is one step
    assert re.findall(r"translateY\((-?\d+)px\)", column[1]) == ["0", "-36", "-54"]
    assert "prefers-reduced-motion" in drawn
    assert drawn == picture(SMALL)


def test_the_picture_of_the_readmes_is_drawn_from_its_recording() -> None:
    # after the recording has changed: scripts/demo-recording --draw
    assert PICTURE.read_text() == picture(load_cast(CAST.read_text()))
    assert PICTURE.stat().st_size + CAST.stat().st_size <= MAX_BYTES
    for page in ("README.md", "README.zh-CN.md"):
        assert f"]({PICTURE.relative_to(ROOT)})" in (ROOT / page).read_text()


def test_what_was_recorded_is_what_would_be_recorded_now() -> None:
    # after a command has changed, or what it prints: scripts/demo-recording
    recorded = load_cast(CAST.read_text())
    typed = [line.text.removeprefix(PROMPT) for line in recorded.lines if line.is_typed]
    assert tuple(typed) == COMMANDS
    ours = [words for command in typed if (words := shlex.split(command.removesuffix(" &")))[0] in PROGRAMS]
    assert len(ours) >= 4
    assert {shlex.join(words): problem for words in ours if (problem := usage_problem(words))} == {}
    assert not [line.text for line in recorded.lines if "/tmp/" in line.text or "/root/" in line.text]
