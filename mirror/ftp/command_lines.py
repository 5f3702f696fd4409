"""Bytes of a control connection -> command lines (RFC 959, 5.3). Pure; never holds more than one line and one read."""

from __future__ import annotations

from typing import NamedTuple

# Telnet's IAC and the commands that clients put before ABOR: IP and DM (RFC 959, 4.1.3)
_TELNET = bytes.maketrans(b"", b""), b"\xff\xf4\xf2"
_URGENT = ("ABOR", "STAT", "QUIT")


class Command(NamedTuple):
    """One command; `word` in upper case. An over-long line is the command ""."""

    word: str
    argument: str


TOO_LONG = Command("", "")


class CommandReader:
    """Cuts what arrives into lines, which end with LF, or CR LF.

    Arguments:
        max_line_bytes: a longer line is reported once as TOO_LONG, and its rest is dropped: it is no command.
    """

    def __init__(self, max_line_bytes: int) -> None:
        self._max = max_line_bytes
        self._buffer = bytearray()
        self._dropping = False

    def __bool__(self) -> bool:
        return bool(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        self._buffer += data

    def next(self) -> Command | None:
        """Return the next whole command, or None until more arrives."""
        end = self._buffer.find(b"\n")
        if end < 0:
            # the last byte may be the CR of the end
            if len(self._buffer) <= self._max + 1:
                return None
            self._buffer.clear()
            reported, self._dropping = self._dropping, True
            return None if reported else TOO_LONG
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        if self._dropping:
            self._dropping = False
            return self.next()
        return TOO_LONG if len(line) > self._max else parse_command(line)


def parse_command(line: bytes) -> Command:
    """Return the command of a line without its end; bytes that are no UTF-8 become surrogates, and match no path."""
    if line.startswith(b"\xff"):
        line = line.translate(*_TELNET)
    word, _, argument = line.decode("utf-8", "surrogateescape").partition(" ")
    word = word.upper()
    # a client that sends Telnet's synch out of band leaves other bytes of it before the word
    if not word.isascii() and word[-4:] in _URGENT:
        word = word[-4:]
    return Command(word or "?", argument)


def is_plain(text: str) -> bool:
    """Tell whether a text holds no control character: no name that is served does."""
    return text.isprintable() or not any(character < " " or character == "\x7f" for character in text)
