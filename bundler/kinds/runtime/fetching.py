"""Brings what runtimes are pinned to into the store again, checked file by file against the lock.

Owns what counts as wrong bytes of a runtime; what it is pinned to is decided in `bundler.kinds.runtime.locking`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, IntegrityError, ManifestError, ToolMissingError
from bundler.kinds.base import Fetch
from bundler.kinds.downloading import Pin, from_first_good_url, no_longer_locked, other_bytes
from bundler.kinds.runtime.bytecode import compiled, interpreter_for, may_run
from bundler.kinds.runtime.interface import WantedWheel
from bundler.kinds.runtime.requirements import Target
from bundler.kinds.runtime.taken_files import restore_members
from bundler.kinds.runtime.tool_wheel import pack_wheel
from bundler.model.runtime_artifact import WHEEL
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bundler.kinds.base import Sources
    from bundler.kinds.runtime.interface import Tools
    from bundler.model.digest import Blob
    from bundler.model.progress import Task
    from bundler.model.runtime_artifact import PinnedPython, PinnedWheel, RuntimeArtifact, RuntimeFile
    from bundler.net.interface import Received
    from bundler.store.interface import BlobStore, Incoming


@dataclass(frozen=True, slots=True)
class RuntimeFetch:
    """One pinned runtime, and the Pythons of all that are wanted, one of which may make its byte-code."""

    runtime: RuntimeArtifact
    pythons: tuple[tuple[str, PinnedPython], ...]


def runtime_fetches(artifacts: Sequence[RuntimeArtifact]) -> tuple[Fetch, ...]:
    """Return one fetch per runtime, in the order of the artifacts."""
    pythons = tuple((artifact.machine, artifact.python) for artifact in artifacts)
    provided: set[Blob] = set()
    fetches = []
    for artifact in artifacts:
        # what two machines share is counted once, though each brings what it finds missing
        provides = tuple(blob for blob in artifact.blobs if blob not in provided)
        provided.update(provides)
        downloads = [artifact.python.download, *(wheel.download for wheel in artifact.wheels)]
        fetches.append(
            Fetch(
                label=artifact.key,
                provides=provides,
                transfer_bytes=sum(blob.size for blob in downloads),
                scratch_bytes=sum(blob.size for blob in downloads),
                artifacts=(artifact.key,),
                detail=RuntimeFetch(artifact, pythons),
            )
        )
    return tuple(fetches)


def fetch_runtime(work: RuntimeFetch, sources: Sources, tools: Tools, task: Task) -> None:
    """Bring every file of a runtime, and the tool's wheel, into the store; what is there is not asked for again.

    Raises SourceError, StorageError, IntegrityError (UPSTREAM_CHANGED), ManifestError (TOOL_CHANGED),
    ToolMissingError (pip, or a Python that makes the pinned byte-code).
    """
    runtime = work.runtime
    _fetch_tool(runtime, sources, tools, task)
    _fetch_python(runtime.python, runtime.key, sources, task)
    with sources.store.scratch_directory() as directory:
        _fetch_wheels(runtime, sources, tools, directory)
        _make_bytecode(work, sources, tools, task, directory)


def _fetch_tool(runtime: RuntimeArtifact, sources: Sources, tools: Tools, task: Task) -> None:
    tool, store = runtime.tool, sources.store
    if not store.has(tool.download):
        if tool.url:
            _download_tool(tool, runtime, sources, task)
        elif store.put(pack_wheel(tools.installation.files())) != tool.download:
            raise ManifestError(
                ErrorId.TOOL_CHANGED,
                tr(
                    "is locked with {name} {version}, whose wheel the store does not have, and this is another one",
                    name=tool.name,
                    version=tool.version,
                ),
                where=runtime.key,
                remedy=tr(
                    "Pin the one that runs: `bundler lock --update '{key}'`; or build with the store, or "
                    "the very installation, that locked it.",
                    key=runtime.key,
                ),
            )
    if missing := _missing(tool.files, store):
        with store.path(tool.download).open("rb") as file:
            restore_members(file, missing, store, tool.file)
        _require_restored(tool.files, store, tool.file, runtime.key)


def _download_tool(tool: PinnedWheel, runtime: RuntimeArtifact, sources: Sources, task: Task) -> None:
    def use(incoming: Incoming, received: Received, where: str) -> bool:
        del received
        if (got := incoming.digest("sha256")) != tool.download.digest:
            raise no_longer_locked(other_bytes(where, tool.download.digest, got), runtime.key, where)
        incoming.commit(tool.download.digest, size=tool.download.size)
        return True

    from_first_good_url((tool.url,), sources, task, use, pin=Pin(tool.download))


def _fetch_python(python: PinnedPython, key: str, sources: Sources, task: Task) -> None:
    store = sources.store

    def use(incoming: Incoming, received: Received, where: str) -> bool:
        del received
        with incoming.open() as file:
            restore_members(file, _missing(python.files, store), store, where)
        _require_restored(python.files, store, where, key)
        if incoming.digest("sha256") != python.download.digest:
            task.note(
                tr("{where}: the archive was packed anew upstream; what is taken out of it is unchanged", where=where)
            )
        incoming.discard()
        return True

    def arrived() -> bool | None:
        return None if _missing(python.files, store) else True

    if not arrived():
        from_first_good_url(python.urls, sources, task, use, pin=Pin(python.download, exact=False), arrived=arrived)


def _fetch_wheels(runtime: RuntimeArtifact, sources: Sources, tools: Tools, directory: Path) -> None:
    lacking = [wheel for wheel in runtime.wheels if _missing(wheel.files, sources.store)]
    target = Target(runtime.python.version, runtime.machine)
    wanted = [WantedWheel(item.name, item.version, item.file, item.download.digest) for item in lacking]
    fetched = tools.index.fetch([item for item in wanted if item.file.endswith(WHEEL)], target, directory)
    for wheel in lacking:
        path = fetched.get(wheel.file) or tools.index.rebuild(wheel, directory).wheel
        with path.open("rb") as file:
            restore_members(file, _missing(wheel.files, sources.store), sources.store, wheel.file)
        _require_restored(wheel.files, sources.store, wheel.file, runtime.key)


def _make_bytecode(work: RuntimeFetch, sources: Sources, tools: Tools, task: Task, directory: Path) -> None:
    runtime, store = work.runtime, sources.store
    if not _missing(runtime.bytecode, store):
        return
    runnable = {machine: python for machine, python in work.pythons if may_run(python, unpinned=sources.run_unpinned)}
    own = runnable.get(tools.interpreters.machine)
    if own is not None and own.version == runtime.python.version:
        _fetch_python(own, runtime.key, sources, task)
    version = runtime.python.version
    interpreter = interpreter_for(version, runnable, tools.interpreters, store, directory)
    if interpreter is None:
        raise ToolMissingError(
            tr("Python {version}", version=version),
            package=tr(
                "CPython {version}, add a runtime for {machine} to the manifest, or allow what "
                "is held to nothing with --run-unpinned",
                version=version,
                machine=tools.interpreters.machine,
            ),
            needed_for=tr("the byte-code of {key}, as its lock has it", key=runtime.key),
        )
    bytecode = {file.path for file in runtime.bytecode}
    compiled((file for file in runtime.files if file.path not in bytecode), version, interpreter, store, directory)
    _require_restored(runtime.bytecode, store, tr("what Python {version} makes", version=version), runtime.key)


def _missing(files: Iterable[RuntimeFile], store: BlobStore) -> frozenset[Blob]:
    return frozenset(file.content for file in files if not store.has(file.content))


def _require_restored(files: Sequence[RuntimeFile], store: BlobStore, where: str, key: str) -> None:
    """Raise IntegrityError (UPSTREAM_CHANGED) when something did not hold what the lock says of it."""
    for file in files:
        if not store.has(file.content):
            error = IntegrityError(
                ErrorId.UPSTREAM_CHANGED,
                tr("does not hold {path} as it was locked", path=file.path),
                where=where,
                remedy=tr("Compare it with what the publisher announces."),
                want=str(file.content.digest),
                got=tr("other bytes"),
            )
            raise no_longer_locked(error, key, where)
