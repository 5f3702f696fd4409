"""edge.sh --join in every shell that a host may have: what the tool gets, and from where."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.edge_bundle import AMD64, ARM, FILES, WITHIN_S, made, script
from tests.integration.nginx import nginx
from tests.integration.push_script import SHELLS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.integration
# writes what it was called with beside its bundle, and reads a line where a person would type one
TOOL = b"""#!/bin/sh
if [ "$1" = activate ]; then
    cd "$4" && rm -f current && ln -s "$2" current && exit
fi
here=${0%/current/bin/bundler}
printf '%s\\n' "$@" >"$here/called"
ls -A "$here" >"$here/listed"
IFS= read -r line && printf '%s\\n' "$line" >"$here/typed"
exit 7
"""
# before the script: what the kernel would call this machine
MACHINE = 'uname() { [ "$1" = -m ] && echo %s; }\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """An unpacked bundle whose tool tells how it was called."""
    return made(tmp_path, "served", {**FILES, "bin/bundler": (TOOL, (), ())})


def for_machine(file: Path, machine: str) -> None:
    file.write_text(MACHINE % machine + file.read_text())


def run(
    shell: str, file: Path, words: Sequence[str], *, terminal: bool, typed: bytes = b"", given: bytes | None = None
) -> tuple[int, str]:
    """Run the script from a pipe, with a terminal or without one; return its status and what it printed."""
    command = [*shell.split(), "-s", "--", *words]
    master, slave = pty.openpty()

    def with_terminal() -> None:
        os.setsid()
        if terminal:
            # the first terminal that a leader of a session opens becomes its own
            os.close(os.open(os.ttyname(slave), os.O_RDWR))

    try:
        with subprocess.Popen(
            command,
            cwd=file.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=with_terminal,  # noqa: PLW1509 - nothing else runs in this process
        ) as running:
            os.write(master, typed)
            printed, _ = running.communicate(file.read_bytes() if given is None else given, WITHIN_S)
        return running.returncode, printed.decode()
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_tool_joins_with_the_terminal_although_the_script_comes_from_a_pipe(
    tmp_path: Path, tree: Path, shell: str
) -> None:
    with nginx(tree, tmp_path) as server:
        file, name = script(tree, server.url, tmp_path)
        for_machine(file, "x86_64")
        root = tmp_path / "the root"
        words = ("--root", str(root), "--join", "--host", "edge1", "--port=8443")
        assert run(shell, file, words, terminal=True, typed=b"a code\n")[0] == 7
    called = (root / "called").read_text().splitlines()
    wanted = ["site", "join", "--mirror", server.url, "--root", str(root), "--host", "edge1", "--port", "8443"]
    assert called == wanted
    assert (root / "typed").read_text() == "a code\n"
    # nobody else has to wait for the joining
    assert set((root / "listed").read_text().split()) == {name, "current", "called", "listed"}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_file_stands_for_the_terminal(tmp_path: Path, tree: Path, shell: str) -> None:
    with nginx(tree, tmp_path) as server:
        file, _ = script(tree, server.url, tmp_path)
        for_machine(file, "x86_64")
        (tmp_path / "the code").write_text("a code")
        words = ("--root", "root", "--join", "--code-file", "the code")
        assert run(shell, file, words, terminal=False)[0] == 7
    called = (tmp_path / "root/called").read_text().splitlines()
    wanted = ["site", "join", "--mirror", server.url, "--root", str(tmp_path / "root")]
    assert called == [*wanted, "--code-file", str(tmp_path / "the code")]
    # nothing of the script's own input
    assert not (tmp_path / "root/typed").exists()


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--join",), "there is no terminal"),
        (("--join", "--code-file", "absent"), "absent cannot be read"),
        (("--host", "edge1"), "go with --join"),
        (("--code-file", "edge.sh"), "go with --join"),
        (("--join", "--port"), "--port needs a value"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_fetched(
    tmp_path: Path, tree: Path, shell: str, words: tuple[str, ...], told: str
) -> None:
    file, _ = script(tree, "http://127.0.0.1:1", tmp_path)
    code, printed = run(shell, file, ("--root", "root", *words), terminal=False)
    assert code == 2
    assert told in printed
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_on_32_bit_arm_it_says_what_is_left_to_do(tmp_path: Path, tree: Path, shell: str) -> None:
    with nginx(tree, tmp_path) as server:
        file, _ = script(tree, server.url, tmp_path)
        for_machine(file, "armv7l")
        code, printed = run(shell, file, ("--root", "root", "--join"), terminal=True)
    assert code == 9
    assert "not available for 32-bit arm" in printed
    assert "keadm deprecated join --cloudcore-ipport=127.0.0.1:10000" in printed
    assert (tmp_path / "root/current/kubeedge/arm").exists()


def test_a_bundle_without_a_tool_for_this_machine_says_so(tmp_path: Path) -> None:
    tree = made(tmp_path, "served", {"kubeedge/keadm": (b"keadm", ("edge",), (AMD64, ARM))})
    with nginx(tree, tmp_path) as server:
        file, _ = script(tree, server.url, tmp_path)
        for_machine(file, "x86_64")
        code, printed = run("sh", file, ("--root", "root", "--join"), terminal=True)
    assert code == 9
    assert "brings no tool for x86_64" in printed
    assert "this host has not joined" in printed
