"""Runtimes: entries of `runtime:` in the manifest, this tool with a Python of its own for hosts that have none.

Owns how the parts fit and placing. Pinning is `bundler.kinds.runtime.locking`, getting the bytes
`bundler.kinds.runtime.fetching`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.kinds.base import Estimate, Fetch, Sources
from bundler.kinds.runtime.interface import Tools
from bundler.kinds.runtime.reading import read_runtime_entry
from bundler.kinds.runtime.schema import RUNTIME_SCHEMA
from bundler.model.about import FileAbout
from bundler.model.bundle_path import BundlePath
from bundler.model.placement import Placement
from bundler.model.runtime_artifact import WITHOUT_BYTECODE, RuntimeArtifact
from bundler.model.source_url import absolute_url
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from bundler.kinds.runtime.entry import RuntimeEntry
    from bundler.model.json_value import Json
    from bundler.model.lock import LockedEntry
    from bundler.model.platform import Platform
    from bundler.model.progress import Task
    from bundler.model.scope import Scope
    from bundler.model.source_text import Node

# bytes on the disk for each byte of a Python's archive: its files, those of the packages, and byte-code
UNPACKED_RATIO = 6


def _local_tools() -> Tools:
    from bundler.kinds.runtime.interpreters import LocalInterpreters
    from bundler.kinds.runtime.pip import Pip
    from bundler.kinds.runtime.tool_wheel import RunningInstallation

    return Tools(Pip(sys.executable), LocalInterpreters(), RunningInstallation())


@dataclass(frozen=True, slots=True)
class RuntimeKind:
    """The kind `runtime`.

    Arguments:
        tools: returns what runtimes are made with; those of this host take long to load.
    """

    tools: Callable[[], Tools] = _local_tools

    @property
    def name(self) -> str:
        """The key in the manifest."""
        return "runtime"

    @property
    def schema(self) -> Mapping[str, Json]:
        """The JSON schema of one item."""
        return RUNTIME_SCHEMA

    def read(self, node: Node, scope: Scope) -> RuntimeEntry | None:
        """Read one item; see `EntryReader`."""
        return read_runtime_entry(node, scope)

    def check(self, entries: Sequence[RuntimeEntry], scope: Scope) -> None:
        """Find nothing: two entries for one machine collide by their targets."""

    def estimate(self, entry: RuntimeEntry, sources: Sources, task: Task) -> Estimate:
        """Ask for the sizes of the Pythons; how much the packages are is known when they are chosen."""
        del task
        fetches, unknown, remarks = [], [], []
        for wanted in entry.runtimes:
            size = sources.downloader.size([absolute_url(url, sources.base_directory) for url in wanted.python.urls])
            unknown.append(f"{wanted.key}: packages" if size is not None else wanted.key)
            if size is not None:
                fetches.append(Fetch(wanted.key, (), size, size * UNPACKED_RATIO, (wanted.key,), None))
            if wanted.python.held_to.by == "first-use" and not sources.run_unpinned:
                remarks.append(
                    tr(
                        "{key}: travels without byte-code: {without_bytecode}",
                        key=wanted.key,
                        without_bytecode=WITHOUT_BYTECODE["unpinned"],
                    )
                )
        return Estimate(tuple(fetches), tuple(unknown), remarks=tuple(remarks))

    def lock(
        self,
        entry: RuntimeEntry,
        sources: Sources,
        task: Task,
        *,
        kept: Sequence[RuntimeArtifact] = (),
        moved: Sequence[RuntimeArtifact] = (),
    ) -> tuple[RuntimeArtifact, ...]:
        """Pin a runtime for each platform; an entry is one thing, of one release, so no earlier pin is kept."""
        from bundler.kinds.runtime.locking import pin_entry

        del kept, moved
        return pin_entry(entry, sources, self.tools(), task)

    def disagreements(
        self, entry: RuntimeEntry, pinned: Sequence[RuntimeArtifact], platforms: Sequence[Platform]
    ) -> Iterable[str]:
        """Hold every runtime against what asks for it; see `Kind`."""
        from bundler.kinds.runtime.disagreements import runtime_disagreements

        return runtime_disagreements(entry, pinned, platforms)

    def narrow(
        self, artifact: RuntimeArtifact, platforms: Sequence[Platform], sources: Sources
    ) -> RuntimeArtifact | None:
        """Return the runtime when its platform is among these."""
        del sources
        return artifact if any(artifact.platform.matches(wanted) for wanted in platforms) else None

    def fetches(self, artifacts: Sequence[RuntimeArtifact]) -> tuple[Fetch, ...]:
        """Return one fetch per runtime."""
        from bundler.kinds.runtime.fetching import runtime_fetches

        return runtime_fetches(artifacts)

    def fetch(self, fetch: Fetch, sources: Sources, task: Task) -> None:
        """Bring what a runtime is pinned to into the store; see `fetch_runtime`."""
        from bundler.kinds.runtime.fetching import RuntimeFetch, fetch_runtime

        if not isinstance(fetch.detail, RuntimeFetch):
            raise TypeError(f"{fetch.label} is no fetch of a runtime")
        fetch_runtime(fetch.detail, sources, self.tools(), task)

    def place(
        self, entries: Sequence[LockedEntry], platforms: Sequence[Platform], sources: Sources
    ) -> Sequence[Placement]:
        """Return the scripts that find a runtime, and every file of the runtimes."""
        from bundler.kinds.runtime.own_scripts import own_scripts

        del platforms, sources
        artifacts = [item for entry in entries for item in entry.artifacts if isinstance(item, RuntimeArtifact)]
        scripts = own_scripts() if artifacts else {}
        placed = [Placement(path, content, self.name, mode=0o755) for path, content in sorted(scripts.items())]
        return [*placed, *(placement for artifact in artifacts for placement in _placements(artifact, self.name))]


def _placements(artifact: RuntimeArtifact, kind: str) -> Iterator[Placement]:
    from bundler.kinds.runtime.python_archive import INTERPRETER

    about = FileAbout(artifact.python.urls[0], artifact.held_to)
    for date, files in artifact.dated_files:
        for file in files:
            yield Placement(
                path=BundlePath(f"{artifact.key}/{file.path}"),
                content=file.content,
                kind=kind,
                mode=file.mode,
                mtime=date,
                platforms=artifact.platforms,
                about=about if file.path == INTERPRETER else None,
            )
