"""What each command loads before it begins: a library that takes long to load is loaded where it is used.

Each of these libraries costs two to a hundred milliseconds of processor time. A command may load those that stand in
its row and no others; a new command has no row, and fails until somebody decides.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.contract.checkout import ROOT
from tests.contract.command_line import commands

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {
    *("asyncio", "bcrypt", "certifi", "charset_normalizer", "concurrent.futures", "createrepo_c", "cryptography"),
    *("deflate", "difflib", "docker", "email", "ftplib", "html", "http.client", "httptools", "idna"),
    *("importlib.metadata",),
    *("isal", "jinja2", "json", "logging", "multiprocessing", "OpenSSL", "platformdirs", "pyftpdlib", "requests"),
    *("rpm_rs", "shutil", "socket", "solv", "sqlite3", "ssl", "subprocess", "tarfile", "tempfile", "tqdm", "urllib3"),
    *("uvloop", "xml.etree", "yaml", "zipfile"),
    # of our own
    *("bundler.archive.part_set", "bundler.model.patch_recipe"),
    # patches, parity and wheels: what few archives have
    *("backports.zstd", "packaging", "pyeclib"),
}
_PARTS = {"bundler.archive.part_set"}
# to open a bundle: its index, what decompresses, and where an archive's parts lie
_BUNDLE = {"isal", "json"} | _PARTS
_HASHING = {"concurrent.futures", "logging"}
_LOOKING_UP = {"email", "http.client", "json", "socket", "ssl"}
_MANIFEST = {"difflib", "json"}
_BUILD = (
    _BUNDLE | _HASHING | _MANIFEST | {"bundler.model.patch_recipe"}
    | {"email", "ftplib", "http.client", "platformdirs", "shutil", "socket", "ssl", "subprocess", "tempfile", "yaml"}
)  # fmt: skip
_HOST = {"email", "http.client", "json", "socket", "ssl", "subprocess"}
MAY_LOAD: dict[str, set[str]] = {
    "bundler": set(),
    "bundler activate": {"json"},
    "bundler build": _BUILD,
    "bundler bundles": {"json"},
    "bundler check": _MANIFEST | {"yaml"},
    "bundler completion": set(),
    "bundler diff": _BUNDLE,
    "bundler inspect": _BUNDLE,
    "bundler keygen": set(),
    "bundler load-images": {"json"},
    "bundler lock": _BUILD,
    "bundler plan": _BUILD,
    "bundler push-images": _LOOKING_UP,
    "bundler remove": {"json"},
    "bundler report": _BUNDLE,
    "bundler robot": _LOOKING_UP,
    "bundler robot create": _LOOKING_UP,
    "bundler sbom": _BUNDLE,
    "bundler schema": _MANIFEST,
    "bundler sign": {"json"} | _PARTS,
    "bundler site": set(),
    "bundler site apply": _HOST | {"difflib", "yaml"},
    "bundler site ca": _HOST | {"difflib", "yaml"},
    "bundler site check": _HOST | {"difflib", "yaml"},
    "bundler site check-config": _HOST | {"difflib", "yaml"},
    "bundler site doctor": _HOST | {"difflib", "shutil", "tarfile", "yaml"},
    "bundler site init": _HOST | {"difflib", "yaml"},
    "bundler site fleet": _HOST | {"difflib", "yaml"},
    "bundler site invite": _HOST | {"difflib", "yaml"},
    "bundler site join": _HOST | {"difflib", "yaml"},
    "bundler site plan": _HOST | {"difflib", "yaml"},
    "bundler site token": _HOST | {"difflib", "yaml"},
    "bundler site undo": _HOST | {"difflib", "yaml"},
    "bundler merge": _BUNDLE | _HASHING | {"shutil", "subprocess"},
    "bundler repair": _BUNDLE | _HASHING,
    "bundler split": _BUNDLE | _HASHING,
    "bundler store": _BUNDLE,
    "bundler store info": _BUNDLE,
    "bundler store prune": _BUNDLE,
    "bundler trust": set(),
    "bundler trust admit": set(),
    "bundler trust draft": set(),
    "bundler trust list": set(),
    "bundler trust rotate": set(),
    "bundler unpack": _BUNDLE | _HASHING,
    "bundler verify": _BUNDLE | _HASHING,
    "mirror": set(),
    "mirror clients": {"json", "shutil", "socket", "tempfile"},
    "mirror completion": set(),
    "mirror serve": set(),
    "mirror service": _HOST,
    "mirror service install": _HOST,
    "mirror service remove": _HOST,
    "mirror service status": _HOST,
    "mirror verify": _HASHING | {"json", "socket", "ssl"},
}
_ARCHIVE = "tests/data/bundles/format-1.tar.gz"
# stands for one of the test's
_DIRECTORY = "DIRECTORY"
# whole runs, which load what they use as well
RUNS: dict[str, set[str]] = {
    "bundler --version": set(),
    "mirror --version": set(),
    "bundler check manifests/demo.yaml": _MANIFEST | {"yaml"},
    "bundler schema": _MANIFEST,
    f"bundler inspect {_ARCHIVE}": _BUNDLE,
    f"bundler diff {_ARCHIVE} {_ARCHIVE}": _BUNDLE,
    f"bundler verify {_ARCHIVE}": _BUNDLE | _HASHING | {"deflate"},
    f"bundler sbom {_ARCHIVE}": _BUNDLE | {"difflib", "shutil", "tarfile"},
    f"bundler report {_ARCHIVE}": _BUNDLE | {"jinja2", "shutil", "tempfile", "zipfile"},
    f"bundler unpack {_ARCHIVE} -C {_DIRECTORY}": _BUNDLE | _HASHING | {"difflib"},
    "bundler completion bash": set(),
    "mirror completion bash": set(),
}
# what is typed when Tab is hit; a line is completed by the command that it names, and loads that one alone
COMPLETED: dict[str, set[str]] = {
    "bundler ": set(),
    "bundler verif": set(),
    "bundler site ": set(),
    "bundler verify --": _BUNDLE | _HASHING,
    "mirror ": set(),
}
_LOADING = """
import sys
import click
from {program}.cli import {program} as command
for word in {words!r}:
    command = command.get_command(click.Context(command), word)
print("\\n", *sys.modules)
"""
_RUNNING = """
import sys
from {program}.__main__ import main
sys.argv = {words!r}
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("\\n", *sys.modules)
"""


_COMPLETING = """
import os, sys
os.environ.update(_{variable}_COMPLETE="bash_complete", COMP_WORDS={line!r}, COMP_CWORD={place!r})
from {program}.__main__ import main
sys.argv = [{program!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("\\n", *sys.modules)
"""


def _heavy(source: str) -> set[str]:
    # -I -S: without what an environment loads at the start of every interpreter (editable installations, coverage)
    prepared = f"import sys; sys.path[:0] = {[str(ROOT), *(path for path in sys.path if path)]!r}\n{source}"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", prepared], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return HEAVY & set(done.stdout.rpartition("\n ")[2].split())


def test_every_command_has_a_row() -> None:
    assert sorted(MAY_LOAD) == sorted(" ".join(words) for words in commands())


@pytest.mark.parametrize("command", MAY_LOAD)
def test_a_command_loads_the_libraries_of_its_row(command: str) -> None:
    program, *words = command.split()
    assert _heavy(_LOADING.format(program=program, words=words)) == MAY_LOAD[command]


@pytest.mark.parametrize("run", RUNS)
def test_a_run_loads_the_libraries_that_it_uses(run: str, tmp_path: Path) -> None:
    words = run.replace(_DIRECTORY, str(tmp_path / "made")).split()
    assert _heavy(_RUNNING.format(program=words[0], words=words)) == RUNS[run]


@pytest.mark.parametrize("line", COMPLETED)
def test_tab_loads_the_command_that_is_typed_and_no_other(line: str) -> None:
    program, place = line.split(maxsplit=1)[0], str(line.count(" "))
    source = _COMPLETING.format(program=program, variable=program.upper(), line=line, place=place)
    assert _heavy(source) == COMPLETED[line]
