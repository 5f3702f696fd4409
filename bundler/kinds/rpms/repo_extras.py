"""What upstream repositories say about packages beside them: groups, module streams, advisories; as texts for the lock.

Owns where they come from; what is left of them is decided in `bundler.rpm`.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from bundler.errors import SourceError
from bundler.kinds.rpms.metadata import record_opener
from bundler.manifest.yaml_documents import read_documents
from bundler.rpm.metadata.advisories import merge_advisories
from bundler.rpm.metadata.comps import MAX_COMPS_BYTES
from bundler.rpm.metadata.groups import merge_groups
from bundler.rpm.metadata.module_texts import merge_modules
from bundler.rpm.metadata.repomd import GROUP, MODULES, UPDATEINFO
from bundler.rpm.metadata.xml_document import refuse_document
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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

    Groups and advisories that are wrong choose no package any more: they are left out with a note.

    Raises SourceError (REPO_METADATA_INVALID: module streams), IntegrityError, StorageError.
    """
    nevras = frozenset(package.nevra for package in packages)
    with ExitStack() as stack:

        def unreadable(error: SourceError) -> None:
            task.note(tr("by it no package is chosen, so it is left out: {error}", error=error))

        def opened(kind: str, refuse: Callable[[SourceError], None]) -> Iterator[tuple[str, BinaryIO]]:
            for repo in repos:
                try:
                    stream = record_opener(repo, sources, task)(kind) if kind in repo.records else None
                except SourceError as error:
                    refuse(error)
                    continue
                if stream is not None:
                    yield tr("{kind} of repository {id}", kind=kind, id=repo.spec.id), stack.enter_context(stream)

        groups = ((where, stream.read(MAX_COMPS_BYTES + 1)) for where, stream in opened(GROUP, unreadable))
        return RepoTexts(
            comps=merge_groups(groups, {nevra.name for nevra in nevras}, unreadable),
            modules=merge_modules(opened(MODULES, refuse_document), nevras, read_documents),
            updateinfo=merge_advisories(opened(UPDATEINFO, unreadable), nevras, unreadable),
        )
