"""The error boundary and what a person sees."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import shlex
import signal
import struct
import sys
import termios
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import partial
from typing import TYPE_CHECKING

import click
import pytest

from bundler import console
from bundler.errors import (
    BundleFormatError,
    BundlerError,
    ErrorId,
    IntegrityError,
    ManifestError,
    PublishError,
    ServeError,
    SiteError,
    SourceError,
    StorageError,
    ToolMissingError,
)
from bundler.model.duration_text import human_seconds
from bundler.model.size_text import human_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bundler.model.json_value import Json

SOME = ErrorId.MANIFEST_INVALID


def raising(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ManifestError(SOME, "w", remedy="r"), 3),
        (SourceError(SOME, "w", remedy="r"), 4),
        (IntegrityError(SOME, "w", remedy="r", want="a", got="b"), 5),
        (BundleFormatError(SOME, "w", remedy="r"), 6),
        (PublishError(SOME, "w", remedy="r"), 7),
        (ServeError(SOME, "w", remedy="r"), 8),
        (SiteError(SOME, "w", remedy="r", step="s"), 9),
        (ToolMissingError("p", package="q", needed_for="z"), 10),
        (StorageError(SOME, "w", remedy="r"), 11),
        (click.UsageError("no such option"), 2),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (console.Terminated(), 143),
        (RuntimeError("surprise"), 1),
    ],
)
def test_every_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert console.run(raising(error), program="bundler") == code


def test_a_command_that_ends_well_is_zero() -> None:
    assert console.run(lambda: None, program="bundler") == 0


def test_the_message_says_where_what_what_next_and_the_id(capsys: pytest.CaptureFixture[str]) -> None:
    error = ManifestError(
        SOME, "2 problems", where="m.yaml", remedy="Mend them.", problems=("m.yaml:1:1: one", "m.yaml:2:1: two")
    )
    console.run(raising(error), program="bundler")
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "m.yaml:1:1: one\nm.yaml:2:1: two\nerror: m.yaml: 2 problems\n  Mend them. [manifest-invalid]\n"


def test_nothing_that_an_upstream_wrote_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "a\x1b[2Jb\x9b31mc\u202ed\re\x07"
    written = "a\\u001b[2Jb\\u009b31mc\\u202ed\\u000de\\u0007"
    assert console.run(raising(SourceError(SOME, hostile, remedy="r")), program="bundler") == 4
    console.warn(hostile)
    assert capsys.readouterr().err == f"error: {written}\n  r [manifest-invalid]\nwarning: {written}\n"
    console.say(f"{hostile}\tä\n語")
    assert capsys.readouterr().out == f"{written}\tä\n語\n"
    console.answer("", {"key": hostile}, schema="s/1", as_json=True)
    assert json.loads(capsys.readouterr().out)["key"] == hostile


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "gb18030"])
def test_an_answer_fails_for_no_letter_and_no_name(encoding: str) -> None:
    name = "\u4e07…\U0001f40b" + os.fsdecode(b"\xff")
    value: dict[str, Json] = {"name": name}
    for as_json in (True, False):
        raw = io.BytesIO()
        run = partial(console.answer, name, value, schema="bundler.some/1", as_json=as_json)
        with redirect_stdout(io.TextIOWrapper(raw, encoding=encoding, errors="strict")) as stdout:
            assert console.run(run, program="bundler") == 0
            stdout.flush()
        text = raw.getvalue().decode(encoding)
        if as_json:
            assert json.loads(text)["name"] == name
        else:
            assert text.encode("ascii", "backslashreplace") == rb"\u4e07\u2026\U0001f40b\udcff" + b"\n"


def test_a_bug_shows_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    console.run(raising(RuntimeError("surprise\x1b[31m")), program="bundler")
    assert "RuntimeError: surprise\\u001b[31m" in capsys.readouterr().err


def test_sigterm_unwinds_like_an_interruption() -> None:
    unwound: list[str] = []

    def command() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        finally:
            unwound.append("yes")

    before = signal.getsignal(signal.SIGTERM)
    try:
        assert console.run(command, program="bundler") == 143
    finally:
        signal.signal(signal.SIGTERM, before)
    assert unwound == ["yes"]


def test_json_begins_with_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    console.answer("text", {"b": 1}, schema="bundler.some/1", as_json=True)
    text = capsys.readouterr().out
    assert list(json.loads(text)) == ["schema", "b"]
    console.answer("text", {"b": 1}, schema="bundler.some/1", as_json=False)
    assert capsys.readouterr().out == "text\n"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536 * 1024, "1.5 MiB"), (5 * 1024**4, "5.0 TiB")],
)
def test_sizes_for_a_person(count: int, text: str) -> None:
    assert human_bytes(count) == text


def test_tables_line_up_and_end_without_blanks() -> None:
    assert console.table(("A", "NAME"), [("1", "x"), ("222", "yy")]) == "A    NAME\n1    x\n222  yy"


def test_off_a_terminal_progress_is_a_line_per_item(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress() as progress:
        progress.expect(2048)
        task = progress.task("keadm", 2048)
        task.advance(2048)
        task.note("again")
        task.finish()
        progress.task("other", None).finish("failed")
    assert capsys.readouterr().err == "2.0 KiB to go\nkeadm: again\nkeadm: done, 2.0 KiB\nother: failed\n"


def test_quiet_progress_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress(quiet=True) as progress:
        progress.task("keadm", 1).finish()
    assert capsys.readouterr().err == ""


@contextmanager
def terminal(columns: int = 100) -> Iterator[Callable[[], str]]:
    """Make a terminal stderr; gives what returns all that was written to it, escape sequences included."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    with (
        os.fdopen(slave, "w", buffering=1) as stderr,
        os.fdopen(master, "rb", buffering=0) as screen,
        redirect_stderr(stderr),
    ):

        def seen() -> str:
            stderr.close()
            blocks: list[bytes] = []
            # Linux ends a terminal that nobody has open any more with EIO, once everything was read
            with suppress(OSError):
                while block := screen.read(1 << 16):
                    blocks.append(block)
            return b"".join(blocks).decode()

        yield seen


@pytest.fixture(autouse=True)
def _cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")


def test_on_a_terminal_the_total_ends_at_all_of_it_and_before_the_answer() -> None:
    with terminal() as seen:
        with console.progress() as progress:
            progress.expect(4 << 20, 1 << 20)
            for label in ("one", "two"):
                task = progress.task(label, 1 << 20)
                task.advance(1 << 20)
                task.finish()
            # more than was announced: the upstream did not tell its size
            task = progress.task("three", None)
            task.advance(2 << 20)
            task.finish("unpacked")
            # what is written of it was counted when it was fetched
            progress.task("archive", 4 << 20, apart=True).advance(4 << 20)
        said = seen()
    assert "three: unpacked" in said
    last = said.rstrip("\r\n").rpartition("\r")[2]
    assert last.startswith("total: 100%")
    assert "| 5.0 MiB/5.0 MiB, " in last
    assert said.endswith("\n")


def test_on_a_terminal_a_single_item_has_no_total() -> None:
    with terminal() as seen:
        with console.progress() as progress:
            progress.task("archive", None).advance(5)
        said = seen()
    assert "archive" in said
    assert "total" not in said


def test_on_a_terminal_an_item_tells_its_share_and_what_is_left_as_soon_as_its_size_is_known() -> None:
    with terminal() as seen:
        with console.progress() as progress:
            task = progress.task("archive", None)
            task.expect(4 << 20)
            task.advance(1 << 20)
            task.expect(4 << 20)
        said = seen()
    assert "archive:  12%|" in said
    assert "| 1.0 MiB/8.0 MiB, " in said
    assert " left" in said


def test_a_terminal_without_columns_or_without_a_cursor_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    def said(columns: int) -> str:
        with terminal(columns) as seen:
            with console.progress() as progress:
                progress.expect(3 << 20, 1 << 20)
                progress.task("one", 2 << 20).finish()
            return seen()

    lines = "3.0 MiB in all, 1.0 MiB there already, 2.0 MiB to go\r\none: done\r\n"
    assert said(0) == lines
    monkeypatch.setenv("TERM", "dumb")
    assert said(100) == lines


def test_an_error_needs_no_place() -> None:
    assert BundlerError(SOME, "w", remedy="r").text() == "w\n  r [manifest-invalid]"


def test_an_interruption_says_what_is_kept_and_what_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def command() -> None:
        with console.kept_when_interrupted("What was downloaded is kept in /var/store."):
            raise KeyboardInterrupt

    assert console.run(lambda: command.main([], standalone_mode=False), program="bundler") == 130
    remedy = f"To go on, type: {shlex.join(('bundler', *sys.argv[1:]))}"
    assert capsys.readouterr().err.strip() == f"interrupted: What was downloaded is kept in /var/store.\n  {remedy}"


def test_the_last_line_tells_what_was_done_and_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    console.timed()("checked", "1.0 KiB")
    console.timed(quiet=True)("checked", "1.0 KiB")
    assert re.fullmatch(r"checked in \d+\.\d s: 1\.0 KiB\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.4, "59.4 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s"), (3725, "1 h 2 min")],
)
def test_durations_for_a_person(seconds: float, text: str) -> None:
    assert human_seconds(seconds) == text
