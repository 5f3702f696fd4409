"""What a kind of content is. To add one: write one folder beside this file, and name it in `kinds/__init__.py`.

A kind reads its entries from the manifest, locks them (entry -> artifacts), says what has to be fetched, fetches it,
and places artifacts in the bundle. A `Discoverer` has one step more: its entries yield further entries, of other
kinds maybe, which are locked like those of the manifest. The pipeline loops over the kinds and never names one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from bundler.model.artifact import Artifact
from bundler.model.manifest import Entry, EntryReader

if TYPE_CHECKING:
    from bundler.model.digest import Blob
    from bundler.model.json_value import Json
    from bundler.model.lock import LockedEntry
    from bundler.model.placement import Placement
    from bundler.model.platform import Platform
    from bundler.model.progress import Task
    from bundler.net.interface import Downloader, RegistryReader
    from bundler.store.interface import BlobStore

E = TypeVar("E", bound=Entry)
A = TypeVar("A", bound=Artifact)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a kind gets bytes from and keeps them; wired once in `cli`, faked in tests.

    Arguments:
        base_directory: the manifest's own, against which urls without a scheme are resolved.
        run_unpinned: whether a program that nothing vouches for may be executed.
    """

    downloader: Downloader
    registry: RegistryReader
    store: BlobStore
    base_directory: str
    run_unpinned: bool = False


@dataclass(frozen=True, slots=True)
class Fetch:
    """One unit of fetching.

    Arguments:
        label: what a person calls it.
        provides: the blobs that are in the store afterwards.
        transfer_bytes: what it moves over the network.
        scratch_bytes: what it needs on disk beside `provides` while it runs.
        artifacts: the artifacts that it serves, as (kind, key); a failure is theirs.
        detail: the kind's own description of what to do.
        title: what tables call the first of the artifacts, where that is not its key.
        origin: the URL, in an estimate that cannot tell what it provides: fetches of one URL are one.
        to_place: whether placing reads what it provides, so that it is needed whatever the archive leaves out.
    """

    label: str
    provides: tuple[Blob, ...]
    transfer_bytes: int
    scratch_bytes: int
    artifacts: tuple[str, ...]
    detail: object
    title: str = ""
    origin: str = ""
    to_place: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an entry without a lock will cost.

    Arguments:
        fetches: as from `Kind.fetches`, with the sizes that the upstream tells; `provides` is empty where the digests
            are not known yet.
        unknown: labels of downloads whose size the upstream does not tell.
        artifacts: the pins, where finding the sizes meant pinning anyway; empty otherwise.
        remarks: what else has to be known of what is not pinned, a line each.
    """

    fetches: tuple[Fetch, ...]
    unknown: tuple[str, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    remarks: tuple[str, ...] = ()


class Kind(EntryReader[E], Protocol[E, A]):
    """A kind of content; see the module's docstring. `read` and `schema` come from `EntryReader`."""

    def estimate(self, entry: E, sources: Sources, task: Task) -> Estimate:
        """Ask the upstream how much an entry is, moving nothing that is not small; raises as `lock` does."""

    def lock(
        self, entry: E, sources: Sources, task: Task, *, kept: Sequence[A] = (), moved: Sequence[A] = ()
    ) -> tuple[A, ...]:
        """Pin an entry: resolve it upstream, bring what that needs into the store.

        Arguments:
            kept: what an earlier lock pinned for this entry, in other settings maybe, and nobody asked to move. A kind
                whose entries come to many artifacts keeps those for which they are still an answer; one whose entry
                is a single thing pins it anew.
            moved: what it pinned and somebody asked to move by name, while the rest is kept.

        Raises SourceError, IntegrityError, ManifestError (what the entry asks for cannot be had), StorageError.
        """

    def disagreements(self, entry: E, pinned: Sequence[A], platforms: Sequence[Platform]) -> Iterable[str]:
        """Return, a line each, how pins are not what an entry asks for; nothing where they answer it.

        What an entry means decides what its artifacts must look like: how many there are, where they lie, for whom they
        are, and every further property that the manifest states. Decides from its arguments alone, so that a lock is
        held against its manifest before anything is fetched.

        Arguments:
            pinned: as a lock has them, in any order, written by anybody.
            platforms: those that the pins were narrowed to; empty where the entry has to be answered whole.
        """

    def narrow(self, artifact: A, platforms: Sequence[Platform], sources: Sources) -> A | None:
        """Return what is left of an artifact for these platforms only, or None; `bundler build --platform`."""

    def fetches(self, artifacts: Sequence[A]) -> tuple[Fetch, ...]:
        """Return what brings the blobs of all these artifacts into the store, every blob once, in a stable order."""

    def fetch(self, fetch: Fetch, sources: Sources, task: Task) -> None:
        """Bring `fetch.provides` into the store, verified."""

    def place(
        self, entries: Sequence[LockedEntry], platforms: Sequence[Platform], sources: Sources
    ) -> Sequence[Placement]:
        """Return where the artifacts of all entries of this kind go; the first platform is the primary one.

        `sources` serves only to read blobs that are in the store already, and whose fetches are marked `to_place`.
        """


@dataclass(frozen=True, slots=True)
class DerivedItem:
    """A list item that an entry yields, as the manifest might hold it.

    Arguments:
        kind: the name of the kind to whose list it belongs.
        item: what YAML would make of it; a dollar is written `$$`, for it has no variables.
    """

    kind: str
    item: Json


@runtime_checkable
class Discoverer(Kind[E, A], Protocol[E, A]):
    """A kind whose entries yield further entries (docs/adr/0015). One without this step has nothing to write."""

    def discover(self, entry: E, pinned: Sequence[A], sources: Sources, task: Task) -> Sequence[DerivedItem]:
        """Return what an entry yields (a chart the images it needs); equal pins give equal items.

        Arguments:
            pinned: what the entry is pinned to, which the answer has to be read from; empty while a plan is made of an
                entry that `estimate` did not pin.

        May bring into the store what it reads. Raises as `lock` does.
        """


# The pipeline handles kinds whose entry and artifact types it does not know: each kind only ever gets its own back.
AnyKind = Kind[Any, Any]
KindTable = Mapping[str, AnyKind]
