"""Byte-code of a runtime's modules, made ahead: which Python makes it, where it lies, and what is compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.kinds.runtime.interface import SourceModule
from bundler.kinds.runtime.python_tree import lay_out
from bundler.model.bundle_path import BundlePath
from bundler.model.runtime_artifact import RuntimeFile, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from bundler.kinds.runtime.interface import Interpreter, Interpreters
    from bundler.model.runtime_artifact import PinnedPython
    from bundler.store.interface import BlobStore


def may_run(python: PinnedPython, *, unpinned: bool) -> bool:
    """Tell whether a Python may be executed: something vouched for it, or whoever builds takes it as it is."""
    return unpinned or python.held_to.by != "first-use"


def interpreter_for(
    version: str, pythons: Mapping[str, PinnedPython], interpreters: Interpreters, store: BlobStore, directory: Path
) -> Interpreter | None:
    """Return a Python of exactly this version: a runtime's own, for this machine, else an installed one, else None.

    Arguments:
        pythons: those that may be executed, by machine; their files are in the store.
        directory: where one may be laid out.
    """
    own = pythons.get(interpreters.machine)
    if own is not None and own.version == version:
        found = interpreters.at(lay_out(own.files, store, directory / "python"), version)
        if found is not None:
            return found
    return interpreters.installed(version)


def compiled(
    files: Iterable[RuntimeFile], version: str, interpreter: Interpreter, store: BlobStore, directory: Path
) -> tuple[RuntimeFile, ...]:
    """Return the byte-code of all modules among some files, which are in the store, as it now is too."""
    modules = [file for file in files if file.path.endswith(".py")]
    made = interpreter.compile([SourceModule(store.path(file.content), file.path) for file in modules], directory)
    found = [
        RuntimeFile(bytecode_path(file.path, version), store.admit([made[file.path].read_bytes()]))
        for file in modules
        if file.path in made
    ]
    return in_order(found)


def bytecode_path(module: str, version: str) -> BundlePath:
    """Return where the byte-code of a module lies (PEP 3147, PEP 488)."""
    directory, _, name = module.rpartition("/")
    tag = "cpython-" + "".join(version.split(".")[:2])
    return BundlePath(f"{directory}/__pycache__/{name.removesuffix('.py')}.{tag}.pyc")


def outside_modules(bytecode: Sequence[RuntimeFile], files: Iterable[RuntimeFile], version: str) -> list[BundlePath]:
    """Return byte-code that belongs to none of these files."""
    known = {bytecode_path(file.path, version) for file in files if file.path.endswith(".py")}
    return [file.path for file in bytecode if file.path not in known]
