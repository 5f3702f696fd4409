"""Pins what an entry of `runtime:` asks for: a Python for each platform, this tool, its packages, their byte-code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bundler.kinds.runtime.bytecode import compiled, interpreter_for, may_run
from bundler.kinds.runtime.package_choice import chosen_packages
from bundler.kinds.runtime.python_pinning import host_libraries, newest_glibc, pin_python
from bundler.kinds.runtime.requirements import Target
from bundler.kinds.runtime.taken_files import elf_files
from bundler.kinds.runtime.wheel_pinning import pin_packages, pin_tool, tool_wheel, wheel_metadata
from bundler.model.runtime_artifact import RuntimeArtifact
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.kinds.base import Sources
    from bundler.kinds.runtime.entry import RuntimeEntry, WantedRuntime
    from bundler.kinds.runtime.interface import Tools
    from bundler.model.digest import Blob
    from bundler.model.platform import Platform
    from bundler.model.progress import Task
    from bundler.model.runtime_artifact import PinnedPython, PinnedWheel, RuntimeFile


def pin_entry(entry: RuntimeEntry, sources: Sources, tools: Tools, task: Task) -> tuple[RuntimeArtifact, ...]:
    """Pin a runtime for each platform; everything in them is in the store then.

    Raises SourceError, StorageError, IntegrityError (CHECKSUM_MISMATCH), ManifestError (RUNTIME_UNFIT,
    WHEEL_NOT_FOUND), ToolMissingError (pip, packaging, this tool itself).
    """
    wheel = tool_wheel(entry.tool, sources, tools, task)
    # the Python that makes another platform's byte-code may be any of them, so all are there first
    pythons = {wanted.platform: pin_python(wanted, sources, task) for wanted in entry.runtimes}
    pinning = _RuntimePinning(entry, sources, tools, task, wheel, pythons)
    return tuple(pinning.runtime(wanted) for wanted in entry.runtimes)


@dataclass(frozen=True, slots=True)
class _RuntimePinning:
    """What the platforms of one entry share."""

    entry: RuntimeEntry
    sources: Sources
    tools: Tools
    task: Task
    wheel: Blob
    pythons: dict[Platform, PinnedPython]

    def runtime(self, wanted: WantedRuntime) -> RuntimeArtifact:
        python = self.pythons[wanted.platform]
        target = Target(python.version, wanted.platform.machine)
        tool = pin_tool(self.wheel, self.entry.tool, target.site_packages, self.sources.store)
        with self.sources.store.scratch_directory() as directory:
            wheels = self._packages(target, directory)
            python = self._with_needs(python, wheels, wanted)
            files = [*python.files, *(file for wheel in (tool, *wheels) for file in wheel.files)]
            runs = may_run(python, unpinned=self.sources.run_unpinned)
            bytecode = self._compiled(files, python.version, directory) if runs else ()
        reason = "" if bytecode else ("no-interpreter" if runs else "unpinned")
        return RuntimeArtifact(wanted.platform, python, tool, wheels, bytecode, reason)

    def _packages(self, target: Target, directory: Path) -> tuple[PinnedWheel, ...]:
        metadata = wheel_metadata(self.wheel, self.sources.store, self.entry.tool or tr("the wheel of this tool"))
        index, store = self.tools.index, self.sources.store
        chosen = chosen_packages(metadata.requires, target, index, directory)
        return pin_packages(chosen, target, index, store, directory)

    def _with_needs(self, python: PinnedPython, wheels: tuple[PinnedWheel, ...], wanted: WantedRuntime) -> PinnedPython:
        files = [*python.files, *(file for wheel in wheels for file in wheel.files)]
        elves = elf_files(files, self.sources.store, str(self.entry.position))
        self.task.note(
            tr(
                "{key}: CPython {version} and {count} packages",
                key=wanted.key,
                version=python.version,
                count=len(wheels),
            )
        )
        return replace(python, glibc=newest_glibc(elves.values()), libraries=host_libraries(elves))

    def _compiled(self, files: list[RuntimeFile], version: str, directory: Path) -> tuple[RuntimeFile, ...]:
        runnable = {
            platform.machine: python
            for platform, python in self.pythons.items()
            if may_run(python, unpinned=self.sources.run_unpinned)
        }
        store = self.sources.store
        interpreter = interpreter_for(version, runnable, self.tools.interpreters, store, directory)
        return () if interpreter is None else compiled(files, version, interpreter, store, directory)
