"""Programs are fed, read and waited for within bounds, and nothing of theirs outlives a bound that was crossed."""

from __future__ import annotations

import os
import select
import sys
from typing import TYPE_CHECKING

import pytest

from bundler.child_process import Ended, PrintedError, PrintsTooMuchError, TakesTooLongError, run_program

if TYPE_CHECKING:
    from pathlib import Path

LONG_S = 60
BOUND = 100_000


def run(source: str, *, stdin: bytes = b"", within_s: float = LONG_S, own_group: bool = False) -> Ended:
    command = [sys.executable, "-c", source]
    environment = {"WORD": "given"}
    return run_program(
        command, environment=environment, within_s=within_s, max_bytes=BOUND, stdin=stdin, own_group=own_group
    )


def test_it_returns_what_was_printed_and_the_status() -> None:
    source = "import os, sys; print(os.environ['WORD']); print('no', file=sys.stderr); sys.exit(7)"
    assert run(source) == Ended(7, b"given\n", b"no\n")


def test_a_program_that_a_signal_has_ended_has_a_negative_status() -> None:
    assert run("import os; os.kill(os.getpid(), 9)").status == -9


def test_more_than_a_pipe_holds_goes_in_while_as_much_comes_out() -> None:
    source = "import sys\nfor line in sys.stdin: print(len(line))"
    ended = run(source, stdin=b"x" * 99 + b"\n" + b"y" * 3_000_000)
    assert ended.stdout == b"100\n3000000\n"


def test_a_program_may_end_without_reading() -> None:
    assert run("pass", stdin=b"x" * 3_000_000).status == 0


def test_a_program_reads_a_file_from_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"skipped read")
    with (tmp_path / "file").open("rb", buffering=0) as file:
        file.seek(8)
        ended = run_program(["/bin/cat"], environment={}, within_s=LONG_S, max_bytes=BOUND, stdin=file)
    assert ended.stdout == b"read"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_program_that_prints_without_end_is_killed(stream: str) -> None:
    with pytest.raises(PrintsTooMuchError):
        run(f"import sys\nwhile True: print('Overwrite? [y/N]', file=sys.{stream})")


def test_as_much_as_allowed_is_returned() -> None:
    assert len(run(f"print('x' * {BOUND - 1})").stdout) == BOUND


@pytest.mark.parametrize("closes", [True, False])
def test_a_program_that_never_ends_is_killed(closes: bool) -> None:
    source = f"import os, time\nif {closes}: os.close(1), os.close(2)\ntime.sleep({LONG_S})"
    with pytest.raises(TakesTooLongError):
        run(source, within_s=0.3)


def test_what_a_program_of_a_group_has_started_ends_with_it(tmp_path: Path) -> None:
    life = tmp_path / "life"
    os.mkfifo(life)
    started = f"exec 9>{life}; echo begun; sleep {LONG_S}"
    source = f"""if True:
        import subprocess
        subprocess.Popen(["/bin/sh", "-c", {started!r}], stdout=subprocess.PIPE).stdout.readline()
        while True: print("on and on")
        """
    held = os.open(life, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(PrintsTooMuchError):
            run(source, own_group=True)
        # the end of the file comes when nobody has it open for writing any more
        assert select.select([held], [], [], LONG_S / 2)[0]
        assert os.read(held, 1) == b""
    finally:
        os.close(held)


def test_a_program_that_is_not_there_is_an_error_of_the_system() -> None:
    with pytest.raises(FileNotFoundError):
        run_program(["/no/such/program"], environment={}, within_s=LONG_S, max_bytes=BOUND)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_program_that_asks_without_end_is_killed_at_its_first_question(stream: str) -> None:
    source = f"""
import sys
print('first', file=sys.{stream}, flush=True)
sys.{stream}.write('Overwrite? [y'); sys.{stream}.flush()
import time; time.sleep(0.05)
while True: print('/N]: ', file=sys.{stream})
"""
    with pytest.raises(PrintedError) as raised:
        run_program(
            [sys.executable, "-c", source],
            environment={},
            within_s=LONG_S,
            max_bytes=BOUND,
            stop_at=b"[y/N]",
            own_group=True,
        )
    ended = raised.value.ended
    assert (ended.status, ended.stdout + ended.stderr) == (-9, b"first\nOverwrite? [y/N]")


def test_what_a_program_shows_is_not_kept(capfd: pytest.CaptureFixture[str]) -> None:
    source = "import sys; print('kept'); print('shown', file=sys.stderr)"
    command = [sys.executable, "-c", source]
    ended = run_program(command, environment={}, within_s=LONG_S, max_bytes=BOUND, shows_stderr=True)
    assert ended == Ended(0, b"kept\n", b"")
    assert capfd.readouterr().err == "shown\n"
