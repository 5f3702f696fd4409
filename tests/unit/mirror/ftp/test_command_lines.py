"""What arrives on a control connection becomes commands, whatever the packets look like."""

from __future__ import annotations

import random

import pytest

from mirror.ftp.command_lines import TOO_LONG, Command, CommandReader, is_plain, parse_command


def commands(*packets: bytes, longest: int = 100) -> list[Command]:
    """Feed packets one by one and return all commands."""
    reader = CommandReader(longest)
    found: list[Command] = []
    for packet in packets:
        reader.feed(packet)
        while (command := reader.next()) is not None:
            found.append(command)
    return found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"RETR a b ", Command("RETR", "a b ")),
        (b"retr  a", Command("RETR", " a")),
        (b"NOOP", Command("NOOP", "")),
        (b"", Command("?", "")),
        (b" LIST", Command("?", "LIST")),
        (b"RETR \xc3\xa9", Command("RETR", "é")),
        (b"RETR \xff\xfe", Command("RETR", "\udcff\udcfe")),
        (b"\xff\xf4\xff\xf2ABOR", Command("ABOR", "")),
        (b"\xf2ABOR", Command("ABOR", "")),
        (b"\xff\xf4\xf2QUIT", Command("QUIT", "")),
    ],
)
def test_a_line_is_a_word_and_an_argument(line: bytes, expected: Command) -> None:
    assert parse_command(line) == expected


def test_lines_come_out_the_same_however_they_are_cut() -> None:
    stream = b"USER a\r\nPASS b c\r\n\r\n" + b"X" * 300 + b"\r\nLIST\nRETR " + b"y" * 95 + b"\r\nQUIT\r\n"
    whole = commands(stream)
    assert [command.word for command in whole] == ["USER", "PASS", "?", "", "LIST", "RETR", "QUIT"]
    randomly = random.Random(4)
    for _ in range(200):
        packets, rest = [], stream
        while rest:
            size = randomly.randint(1, 120)
            packets.append(rest[:size])
            rest = rest[size:]
        assert commands(*packets) == whole


def test_the_rest_of_an_over_long_line_is_no_command() -> None:
    assert commands(b"A" * 150, b"DELE x", b"\r\nNOOP\r\n") == [TOO_LONG, Command("NOOP", "")]


def test_an_endless_line_is_told_of_once_and_not_kept() -> None:
    reader = CommandReader(100)
    commands = []
    for _ in range(1000):
        reader.feed(b"z" * 1000)
        commands.append(reader.next())
        assert not reader
    assert commands == [TOO_LONG, *[None] * 999]


@pytest.mark.parametrize("text", ["a\0b", "a\rb", "\x1b[2J", "\x7f", "a\tb"])
def test_control_characters_are_seen(text: str) -> None:
    assert not is_plain(text)


@pytest.mark.parametrize("text", ["", "a b", "é", "\u00ad", "\udcff", "名"])
def test_other_characters_are_let_through(text: str) -> None:
    assert is_plain(text)
