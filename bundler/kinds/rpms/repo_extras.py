"""What upstream repositories say about packages beside them: groups, module streams, advisories; as texts for the lock.

Owns where they come from; what is left of them is decided in `bundler.rpm`.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from bundler.kinds.rpms.metadata import record_opener
from bundler.manifest.yaml_documents import read_documents
from bundler.rpm.metadata.advisories import merge_advisories
from bundler.rpm.metadata.comps import MAX_COMPS_BYTES
from bundler.rpm.metadata.groups import merge_groups
from bundler.rpm.metadata.module_texts import merge_modules
from bundler.rpm.metadata.repomd import GROUP, MODULES, UPDATEINFO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.kinds.base import Sources
    from bundler.kinds.rpms.metadata import RepoMetadata
    from bundler.model.progress import Task
    from bundler.rpm.solve.request import ChosenRpm


@dataclass(frozen=True, slots=True)
class RepoTexts:
    """Plain documents; "" where nothing concerns the packages."""

    comps: str
    modules: str
    updateinfo: str


def selected_texts(
    repos: Sequence[RepoMetadata], packages: Sequence[ChosenRpm], sources: Sources, task: Task
) -> RepoTexts:
    """Return what the repositories say about these packages.

    Raises SourceError (REPO_METADATA_INVALID), IntegrityError, StorageError.
    """
    nevras = frozenset(package.nevra for package in packages)
    with ExitStack() as stack:

        def opened(kind: str) -> list[tuple[str, BinaryIO]]:
            found = [(repo, record_opener(repo, sources, task)(kind)) for repo in repos if kind in repo.records]
            return [
                (f"{kind} of repository {repo.spec.id}", stack.enter_context(stream))
                for repo, stream in found
                if stream
            ]

        groups = [(where, stream.read(MAX_COMPS_BYTES + 1)) for where, stream in opened(GROUP)]
        return RepoTexts(
            comps=merge_groups(groups, {nevra.name for nevra in nevras}),
            modules=merge_modules(opened(MODULES), nevras, read_documents),
            updateinfo=merge_advisories(opened(UPDATEINFO), nevras),
        )
