"""Pythons that can be run here, and what they make of modules. Owns how they are run: with nothing of this process.

Byte-code is the same for the same sources and release only if the process that makes it is: what is interned already,
and how strings are hashed, reaches its bytes. So each package has a process of its own that has done nothing else.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.kinds.runtime.programs import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bundler.kinds.runtime.interface import SourceModule

# -E would also leave out the seed; -P: nothing is imported from where this runs
_FLAGS = ("-s", "-S", "-B", "-P", "-X", "utf8")
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
_WHO = "import platform as p; print(p.python_implementation(), p.python_version())"


@dataclass(frozen=True, slots=True)
class RunnableInterpreter:
    """See `Interpreter`."""

    executable: Path

    def compile(self, sources: Sequence[SourceModule], directory: Path) -> Mapping[str, Path]:
        """Compile package by package."""
        script = (resources.files("bundler.kinds.runtime") / "data" / "compile.py").read_text(encoding="utf-8")
        made: dict[str, Path] = {}
        for group in _packages(sources):
            outputs = {source.path: directory / f"{len(made) + number}.pyc" for number, source in enumerate(group)}
            texts = (text for item in group for text in (str(item.file), item.path, str(outputs[item.path])))
            work = "".join(f"{text}\0" for text in texts)
            run([str(self.executable), *_FLAGS, "-c", script], environment=_ENVIRONMENT, text=work)
            made |= outputs
        return {path: file for path, file in made.items() if file.is_file()}


class LocalInterpreters:
    """See `Interpreters`."""

    @property
    def machine(self) -> str:
        """What the kernel says."""
        return os.uname().machine

    def at(self, executable: Path, version: str) -> RunnableInterpreter | None:
        """Ask it for its version."""
        ended = run([str(executable), *_FLAGS, "-c", _WHO], environment=_ENVIRONMENT)
        return RunnableInterpreter(executable) if ended.output.split() == ["CPython", version] else None

    def installed(self, version: str) -> RunnableInterpreter | None:
        """Take the one that runs this, else the one of this name on PATH."""
        if (platform.python_implementation(), platform.python_version()) == ("CPython", version):
            return RunnableInterpreter(Path(sys.executable))
        found = shutil.which(f"python{'.'.join(version.split('.')[:2])}")
        return self.at(Path(found), version) if found else None


def _packages(sources: Sequence[SourceModule]) -> Iterator[list[SourceModule]]:
    """Yield the modules of one top-level package after the other; modules that are none stand together."""
    groups: dict[str, list[SourceModule]] = {}
    for source in sorted(sources, key=lambda source: source.path.encode()):
        top, marker, below = source.path.partition("/site-packages/")
        # lib/python3.N/PACKAGE/…
        parts = below.split("/") if marker else source.path.split("/")[2:]
        groups.setdefault(f"{top if marker else ''}/{parts[0] if len(parts) > 1 else ''}", []).append(source)
    yield from groups.values()
