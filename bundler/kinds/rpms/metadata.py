"""The metadata of upstream RPM repositories: found, checked, kept in the store, opened.

Owns which mirror is asked, and what happens when one is dead, stale or wrong; refuses to solve
(`bundler.rpm.solve.solving`), to know keys (the check of a signature is handed in), and to read what the records say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import file_digest
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

from bundler.durable import storage_errors
from bundler.errors import BundlerError, ErrorId, IntegrityError, SourceError
from bundler.kinds.downloading import Pin, admit_exactly, from_first_good_url, known_blob, pinned_blob
from bundler.kinds.error_naming import naming
from bundler.kinds.rpms.cached_repomd import keep_index, read_index
from bundler.kinds.rpms.fetching import STALE
from bundler.model.digest import Digest
from bundler.model.source_url import absolute_url
from bundler.net.redact import redact
from bundler.rpm.metadata.mirror_list import REPOMD_PATH, MirrorList, parse_mirrors
from bundler.rpm.metadata.plain_file import open_plain
from bundler.rpm.metadata.repomd import (
    ADVISORY_KINDS,
    GROUP,
    MODULES,
    PRIMARY,
    UPDATEINFO,
    parse_repomd,
    resource_url,
    resource_urls,
)
from bundler.rpm.metadata.xml_document import MAX_DOCUMENT_BYTES, invalid_metadata
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.kinds.base import Sources
    from bundler.model.digest import Blob
    from bundler.model.progress import Task
    from bundler.model.rpm.repo import RepoSpec
    from bundler.net.interface import Document, Received
    from bundler.rpm.metadata.repomd import Repomd, RepomdRecord
    from bundler.store.interface import BlobStore, Incoming

# (signed bytes, detached signature, where they come from) -> who signed, for a person; raises BundlerError
SignatureCheck = Callable[[bytes, bytes, str], str]
# What every closure needs; file lists are big, and only some closures need them.
EAGER_KINDS = (PRIMARY, MODULES, GROUP, UPDATEINFO)
MAX_SIGNATURE_BYTES = 64 * 1024
# A list may name a hundred mirrors; when so many fail, the reason lies nearer.
MOST_MIRRORS = 8


@dataclass(frozen=True, slots=True)
class RepoMetadata:
    """A repository at one moment; its records lie in the store.

    Arguments:
        base_url: its canonical root, for the lock: the first `baseurl` as written, or the mirror that answered.
        bases: absolute roots, the one that answered first.
        repomd: its repomd.xml. index: the same, read.
        records: kind -> the blob, compressed as it came.
        signed_by: who signed repomd.xml, "" where `repo_gpgcheck` is off.
        via: the prefix of the upstream mirror that gave repomd.xml, "" for the original.
    """

    spec: RepoSpec
    base_url: str
    bases: tuple[str, ...]
    repomd: Blob
    index: Repomd
    records: Mapping[str, Blob]
    signed_by: str = ""
    via: str = ""

    def urls(self, href: str, xml_base: str = "") -> tuple[str, ...]:
        """Return where a file of the repository can be had, absolute, the best place first; see `resource_urls`."""
        return tuple(dict.fromkeys(url for base in self.bases for url in resource_urls(base, href, xml_base)))


def load_repo(
    spec: RepoSpec,
    sources: Sources,
    task: Task,
    *,
    check: SignatureCheck | None = None,
    optional: frozenset[str] = ADVISORY_KINDS,
) -> RepoMetadata:
    """Bring a repository's metadata into the store, the file lists excepted.

    One place after the other is asked until one has an index that can be trusted and every record that it lists, from
    wherever: a place that is out of step gives way. What the store has already is not fetched again, and an index that
    its server calls unchanged is the one that lies there; it is checked like one that has just come.

    Arguments:
        check: checks repomd.xml.asc; needed where the repository says `repo_gpgcheck`.
        optional: kinds of records that choose no package. One that is wrong is left out with a note: it is `unusable`
            in the index then.

    Raises SourceError (REPO_METADATA_INVALID, REPO_UNSIGNED, or as the network), IntegrityError (CHECKSUM_MISMATCH; or
    as `check`), StorageError: the first IntegrityError when there was one, else the last place's error.
    """
    if spec.repo_gpgcheck and check is None:
        raise ValueError(tr("repository {id} has to be checked, and nothing to check it with was given", id=spec.id))
    search = _Search(spec, _mirrors(spec, sources), sources, task, check if spec.repo_gpgcheck else None, optional)
    failure: SourceError | IntegrityError | None = None
    for number, base in enumerate(search.mirrors.bases):
        try:
            if (found := search.at(base)) is not None:
                return found
        except (SourceError, IntegrityError) as error:
            if not isinstance(failure, IntegrityError):
                failure = error
            if number + 1 < len(search.mirrors.bases):
                task.note(tr("{error}; trying {bases}", error=error, bases=redact(search.mirrors.bases[number + 1])))
    if failure is None:
        raise ValueError(tr("repository {id} has no place to ask", id=spec.id))
    raise failure


def load_record(metadata: RepoMetadata, kind: str, sources: Sources, task: Task) -> RepoMetadata:
    """Bring one more record into the store and return the metadata with it, or as they are where there is none.

    Raises as `load_repo`.
    """
    if kind in metadata.records and sources.store.has(metadata.records[kind]):
        return metadata
    if (reason := metadata.index.unusable.get(kind)) is not None:
        with naming(_called(metadata.spec)):
            where = redact(resource_url(metadata.bases[0], REPOMD_PATH))
            raise invalid_metadata(
                tr("its record {kind!r} cannot be trusted: {reason}", kind=kind, reason=reason), where
            )
    record = metadata.index.records.get(kind)
    if record is None:
        return metadata
    blob = _fetched(record, metadata, sources, task)
    return replace(metadata, records=MappingProxyType({**metadata.records, kind: blob}))


def open_record(metadata: RepoMetadata, kind: str, store: BlobStore) -> BinaryIO | None:
    """Open a record that is in the store, decompressed and seekable, or return None where the repository has none.

    The plain bytes lie in a file without a name beside the store's own; the caller closes it.

    Raises IntegrityError (DIGEST_MISMATCH: damaged on the disk, and dropped), SourceError (REPO_METADATA_INVALID: the
    right bytes, but not what they should be), StorageError, ToolMissingError.
    """
    blob = metadata.records.get(kind)
    if blob is None:
        return None
    path = store.path(blob)
    with storage_errors(path), path.open("rb") as packed:
        if (got := Digest("sha256", file_digest(packed, "sha256").hexdigest())) != blob.digest:
            store.drop(blob)
            raise IntegrityError(
                ErrorId.DIGEST_MISMATCH,
                tr(
                    "the {kind} of repository {id} was damaged on the disk and has been dropped",
                    kind=kind,
                    id=metadata.spec.id,
                ),
                where=str(path),
                remedy=tr("Run the same command again; it is fetched anew. If it happens again, check the disk."),
                want=str(blob.digest),
                got=str(got),
            )
        packed.seek(0)
        record = metadata.index.records[kind]
        with naming(_called(metadata.spec)):
            where = redact(metadata.urls(record.href, record.xml_base)[0])
            return open_plain(packed, directory=path.parent, where=where)


def record_opener(metadata: RepoMetadata, sources: Sources, task: Task) -> Callable[[str], BinaryIO | None]:
    """Return what opens any record by its kind, fetching it first where that has not happened yet.

    A record that was damaged on the disk is fetched once more. Raises as `load_record` and `open_record`.
    """

    def opened(kind: str) -> BinaryIO | None:
        loaded = load_record(metadata, kind, sources, task)
        try:
            return open_record(loaded, kind, sources.store)
        except IntegrityError as error:
            task.note(tr("{error}; it is fetched again", error=error))
        return open_record(load_record(loaded, kind, sources, task), kind, sources.store)

    return opened


def _mirrors(spec: RepoSpec, sources: Sources) -> MirrorList:
    if spec.baseurls:
        return MirrorList(tuple(absolute_url(url, sources.base_directory).rstrip("/") for url in spec.baseurls))
    url = absolute_url(spec.mirrorlist or spec.metalink, sources.base_directory)
    with naming(_called(spec)):
        listed = parse_mirrors(sources.downloader.read(url, max_bytes=MAX_DOCUMENT_BYTES).data, redact(url))
    return replace(listed, bases=listed.bases[:MOST_MIRRORS])


@dataclass(frozen=True, slots=True)
class _Search:
    """The way through the places of one repository.

    Arguments:
        check: checks the signature, None where none is wanted.
        optional: see `load_repo`.
        seen: the indexes whose records were looked for in all places already.
    """

    spec: RepoSpec
    mirrors: MirrorList
    sources: Sources
    task: Task
    check: SignatureCheck | None
    optional: frozenset[str]
    seen: set[Blob] = field(default_factory=set)

    def at(self, base: str) -> RepoMetadata | None:
        """Return what one place has, or None when another had the same and it was of no use.

        A server that calls changed metadata unchanged must not be believed for ever: where what was kept does not
        hold, the index is fetched whole before the place is given up.
        """
        url = resource_url(base, REPOMD_PATH)
        with naming(_called(self.spec)):
            document = read_index(url, self.sources)
        try:
            return self._loaded(base, document)
        except (SourceError, IntegrityError):
            if not document.reused:
                raise
            with naming(_called(self.spec)):
                whole = read_index(url, self.sources, anew=True)
            if whole.data == document.data:
                raise
        return self._loaded(base, whole)

    def _loaded(self, base: str, document: Document) -> RepoMetadata | None:
        with naming(_called(self.spec)):
            found = self._trusted(base, document)
        if found.repomd in self.seen:
            return None
        self.seen.add(found.repomd)
        return _with_eager_records(found, self.optional, self.sources, self.task)

    def _trusted(self, base: str, document: Document) -> RepoMetadata:
        """Hold repomd.xml to what the metalink and the signature say."""
        url = resource_url(base, REPOMD_PATH)
        where = redact(url)
        self.mirrors.check(document.data, where)
        signed_by = self.check(document.data, _signature(base, self.sources), where) if self.check else ""
        index = _counting(parse_repomd(document.data, where), self.spec)
        return RepoMetadata(
            spec=self.spec,
            base_url=self.spec.baseurls[0] if self.spec.baseurls else base,
            bases=(base, *(other for other in self.mirrors.bases if other != base)),
            repomd=keep_index(url, document, self.sources.store),
            index=index,
            records=MappingProxyType({}),
            signed_by=signed_by,
            via=document.via,
        )


def _signature(base: str, sources: Sources) -> bytes:
    url = resource_url(base, f"{REPOMD_PATH}.asc")
    try:
        return sources.downloader.read(url, max_bytes=MAX_SIGNATURE_BYTES).data
    except SourceError as error:
        if error.id != ErrorId.SOURCE_NOT_FOUND:
            raise
        raise SourceError(
            ErrorId.REPO_UNSIGNED,
            tr("the repository's metadata are not signed, and 'repo_gpgcheck' wants them to be"),
            where=error.where,
            remedy=tr(
                "Ask its publisher for signed metadata, or leave 'repo_gpgcheck' out: packages are still checked."
            ),
        ) from error


def _counting(index: Repomd, spec: RepoSpec) -> Repomd:
    """Return an index in which weak checksums count only where signatures vouch for the packages themselves."""
    weak = [] if spec.gpgcheck else [kind for kind, record in index.records.items() if record.digest.is_weak]
    if not weak:
        return index
    reasons = {
        kind: tr(
            "its checksum is {algorithm}, which counts only where signatures vouch for "
            "the packages, and the repository says 'gpgcheck: false'",
            algorithm=index.records[kind].digest.algorithm,
        )
        for kind in weak
    }
    return _without(index, reasons)


def _without(index: Repomd, reasons: Mapping[str, str]) -> Repomd:
    """Return an index some of whose records are `unusable`, each for its reason."""
    records = {kind: record for kind, record in index.records.items() if kind not in reasons}
    return replace(index, records=records, unusable={**index.unusable, **reasons})


def _with_eager_records(metadata: RepoMetadata, optional: frozenset[str], sources: Sources, task: Task) -> RepoMetadata:
    for kind in EAGER_KINDS:
        try:
            metadata = load_record(metadata, kind, sources, task)
        except (SourceError, IntegrityError) as error:
            # what a server does not give at the moment it may well give later
            if kind not in optional or (isinstance(error, SourceError) and error.retryable):
                raise
            task.note(left_out(kind, metadata.spec, error))
            metadata = replace(metadata, index=_without(metadata.index, {kind: error.sentence}))
    return metadata


def left_out(kind: str, spec: RepoSpec, error: BundlerError) -> str:
    """Return the note for what a repository says beside its packages, and says wrongly."""
    return tr(
        "the {kind} of {called}, by which no package is chosen, is left out: {error}",
        kind=kind,
        called=_called(spec),
        error=error,
    )


def _fetched(record: RepomdRecord, metadata: RepoMetadata, sources: Sources, task: Task) -> Blob:
    """Bring a record into the store from the first place whose bytes are right."""
    pinned = pinned_blob(record.digest, record.size)
    store = sources.store

    def arrived() -> Blob | None:
        return known_blob(record.digest, record.size, store)

    def use(incoming: Incoming, received: Received, url: str) -> Blob:
        del received
        return admit_exactly(incoming, record.digest, record.size, url, store)

    if (blob := arrived()) is not None:
        return blob
    urls = metadata.urls(record.href, record.xml_base)
    with naming(_called(metadata.spec)):
        try:
            return from_first_good_url(urls, sources, task, use, pin=Pin(pinned) if pinned else None, arrived=arrived)
        except IntegrityError as error:
            raise IntegrityError(
                ErrorId.CHECKSUM_MISMATCH,
                tr("the record {kind!r} is not what repomd.xml says", kind=record.kind),
                where=redact(urls[0]) + (tr(" and {count} more", count=len(urls) - 1) if urls[1:] else ""),
                remedy=tr(
                    "If a mirror is just being updated, run the command again in a while; else name another one."
                ),
                want=error.want,
                got=error.got,
            ) from error
        except SourceError as error:
            raise (replace(error, remedy=STALE) if error.id == ErrorId.SOURCE_NOT_FOUND else error) from error


def _called(spec: RepoSpec) -> str:
    return tr("repository {id}", id=spec.id)
