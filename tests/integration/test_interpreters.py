"""Byte-code by real Pythons: the same bytes from the same sources, whatever else this process has done."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.kinds.runtime.interface import SourceModule
from bundler.kinds.runtime.interpreters import LocalInterpreters, RunnableInterpreter

if TYPE_CHECKING:
    import pytest

VERSION = platform.python_version()
MODULES = {
    "lib/python3.9/alone.py": "import os\n\n\ndef f(x: int) -> str:\n    return f'{x!r}' + os.sep\n",
    "lib/python3.9/pkg/__init__.py": "NAMES = {'a', 'b', 'c'}\nif 'x' in {'x', 'y', 'z'}:\n    pass\n",
    "lib/python3.9/site-packages/other/part.py": "class A:\n    'text'\n    attribute = ('a', 1.5, None)\n",
    "lib/python3.9/site-packages/other/template.py": "{% no Python %}\n",
}


def _compiled(directory: Path) -> dict[str, bytes]:
    directory.mkdir()
    sources = []
    for number, (path, text) in enumerate(MODULES.items()):
        file = directory / f"source {number}"
        file.write_text(text)
        sources.append(SourceModule(file, path))
    made = RunnableInterpreter(Path(sys.executable)).compile(sources, directory)
    return {path: file.read_bytes() for path, file in made.items()}


def test_equal_sources_give_equal_bytes_from_other_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _compiled(tmp_path / "a")
    monkeypatch.setenv("PYTHONHASHSEED", "123")
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    second = _compiled(tmp_path / "another place")

    assert first == second
    assert sorted(first) == sorted(path for path in MODULES if "template" not in path)
    # PEP 552: by hash, and unchecked
    assert {data[4:8] for data in first.values()} == {b"\x01\0\0\0"}
    assert all(str(tmp_path).encode() not in data for data in first.values())


def test_only_a_cpython_of_the_very_version_is_taken(tmp_path: Path) -> None:
    interpreters = LocalInterpreters()
    broken = tmp_path / "python3"
    broken.write_bytes(b"\x7fELF of another machine")
    broken.chmod(0o755)

    assert interpreters.at(Path(sys.executable), VERSION) == RunnableInterpreter(Path(sys.executable))
    assert interpreters.at(Path(sys.executable), "3.11.99") is None
    assert interpreters.at(broken, VERSION) is None
    assert interpreters.at(tmp_path / "absent", VERSION) is None
    assert interpreters.installed(VERSION) == RunnableInterpreter(Path(sys.executable))
    assert interpreters.installed("3.2.0") is None
