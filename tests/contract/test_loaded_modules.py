"""A command loads what it needs and no other command's share: what runs on the target starts quickly."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.contract.command_line import PROGRAMS

LOADED = (
    "import sys; from {program}.cli import {program}; {program}.get_command(None, {command!r}); print(*sys.modules)"
)


@pytest.mark.parametrize(
    ("program", "command", "needed", "not_needed"),
    [
        ("bundler", "verify", "bundler.archive", ("bundler.kinds", "bundler.net", "bundler.push", "requests", "yaml")),
        ("bundler", "unpack", "bundler.archive", ("bundler.kinds", "bundler.net", "bundler.push", "requests", "yaml")),
        ("bundler", "inspect", "bundler.archive", ("bundler.kinds", "bundler.net", "bundler.push", "requests", "yaml")),
        ("bundler", "diff", "bundler.archive", ("bundler.kinds", "bundler.net", "bundler.push", "requests", "yaml")),
        ("bundler", "load-images", "bundler.push", ("bundler.kinds", "bundler.net", "requests", "yaml")),
        (
            "bundler",
            "push-images",
            "bundler.push",
            ("bundler.kinds", "deflate", "docker", "isal", "requests", "urllib3", "yaml"),
        ),
        ("bundler", "check", "bundler.kinds", ("bundler.push", "bundler.net.http.transport", "requests")),
        (
            "mirror",
            "serve",
            "mirror.settings",
            ("mirror.probe", "mirror.service", "mirror.client", "deflate", "isal", "requests"),
        ),
        ("mirror", "service", "mirror.service", ("mirror.probe", "requests")),
    ],
)
def test_a_command_loads_no_other_commands_share(
    program: str, command: str, needed: str, not_needed: tuple[str, ...]
) -> None:
    source = LOADED.format(program=program, command=command)
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert needed in loaded
    assert loaded.isdisjoint(not_needed)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_loads_where_python_was_built_without_xz_and_bzip2(program: str) -> None:
    source = (
        f"import sys; sys.modules['_lzma'] = sys.modules['_bz2'] = None; from {program}.cli import {program}; "
        f"[{program}.get_command(None, name) for name in {program}.list_commands(None)]"
    )
    subprocess.run([sys.executable, "-c", source], check=True)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_alone_loads_no_command(program: str) -> None:
    source = f"import sys; import {program}.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    own = [name for name in done.stdout.split() if name.startswith(f"{program}.cli.")]
    assert own == []
