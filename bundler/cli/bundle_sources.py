"""Where commands read a bundle from: the text that a user gives, and the network behind it where it is a URL."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bundler import console
from bundler.archive.bundle_signatures import bundle_verdict
from bundler.archive.left_staging import fetched_name
from bundler.archive.part_set import NOWHERE_ELSE
from bundler.cli.options import FILE, option
from bundler.shell_completion import complete_files
from bundler.source.open_source import open_source, require_id
from bundler.translation import tr
from bundler.trust.admission import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bundler.archive.bundle_reader import BundleReader
    from bundler.archive.checked_index import CheckedIndex
    from bundler.archive.part_set import PartPlaces
    from bundler.model.progress import Progress
    from bundler.store.interface import BlobStore
    from bundler.trust.admission import Admission

F = TypeVar("F", bound="Callable[..., Any]")
SCHEMES = ("http://", "https://")
JOBS = 4


def _source(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    # a script's variable that is not set
    if not value:
        raise click.BadParameter(tr("the path is empty"))
    return value


def source_argument(name: str = "source") -> Callable[[F], F]:
    """Return the argument that names a bundle, wherever it is."""
    return click.argument(name, callback=_source, shell_complete=complete_files)


source_ca_option = option(
    "--ca-file", type=FILE, help=tr("Trust the authorities in this PEM file for a mirror with TLS.")
)


def is_url(source: str) -> bool:
    """Tell whether a source is the bundle of a running mirror."""
    return source.lower().startswith(SCHEMES)


def shown_name(source: str) -> str:
    """Return what a source is called in a line of progress: of a URL without user and password."""
    name = Path(source).name
    return name.rpartition("@")[2] if is_url(source) else name


@contextmanager
def opened_source(
    source: str,
    progress: Progress,
    *,
    wanted_id: str = "",
    into: Path | None = None,
    ca_file: Path | None = None,
    admission: Admission = ANYTHING,
    places: PartPlaces = NOWHERE_ELSE,
) -> Iterator[BundleReader]:
    """Open a bundle, wherever it is, and close what that needs.

    Arguments:
        source: an archive, one of its parts, their directory, `-`, a tree, or the URL of a running mirror.
        wanted_id: see `require_id`.
        into: the directory below which a mirror's files wait, over several runs; None to keep none of them.
        admission: whose signatures it needs.
        places: where else parts of an archive may lie.

    Raises as `open_source` and `open_mirror` do.
    """
    with ExitStack() as stack:
        if is_url(source):
            reader = _mirror(source, progress, into, ca_file, admission.trusted.ids, stack)
            bundle_verdict(reader.checked, reader.signatures, admission)
        else:
            reader = stack.enter_context(open_source(source, admission, places))
        require_id(reader.checked, wanted_id)
        yield reader


@contextmanager
def opened_quietly(
    source: str,
    ca_file: Path | None = None,
    places: PartPlaces = NOWHERE_ELSE,
    admission: Admission = ANYTHING,
) -> Iterator[BundleReader]:
    """Open a bundle of which only the description is read."""
    with (
        console.progress(quiet=True) as progress,
        opened_source(source, progress, ca_file=ca_file, places=places, admission=admission) as reader,
    ):
        yield reader


def _mirror(
    source: str,
    progress: Progress,
    into: Path | None,
    ca_file: Path | None,
    key_ids: tuple[str, ...],
    stack: ExitStack,
) -> BundleReader:
    # what a bundle on this host does not need takes its time to load
    from bundler.net.files.download import FileDownloader
    from bundler.net.http.observed_transport import ObservedTransport
    from bundler.net.http.tls_trust import Trust
    from bundler.net.http.transport import RequestsTransport
    from bundler.net.mirrors import Mirrors
    from bundler.net.retry import Retry
    from bundler.source.mirror_source import open_mirror
    from bundler.store.blobs import Store

    if ca_file is not None and not ca_file.is_file():
        raise click.UsageError(tr("--ca-file {ca_file}: there is no such file", ca_file=ca_file))
    transport = ObservedTransport(RequestsTransport(Trust(str(ca_file) if ca_file else None)), console.request_log())
    stack.callback(transport.close)
    downloader = FileDownloader(transport, Mirrors.parse(()), Retry())

    def store(checked: CheckedIndex) -> BlobStore:
        return Store((into or Path()) / fetched_name(checked.index.name, checked.id))

    return open_mirror(source, downloader, store if into else None, progress, jobs=JOBS, key_ids=key_ids)
