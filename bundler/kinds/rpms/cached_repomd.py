"""The index of an upstream repository, repomd.xml: fetched only when it has changed since it was last trusted.

Owns what is kept of it between runs: its bytes lie in the store like any blob, a record of the index says what their
server called them. Whether it is to be trusted is decided in `bundler.kinds.rpms.metadata`, every time anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.errors import IntegrityError, StorageError
from bundler.net.interface import CachedDocument, Validators
from bundler.rpm.metadata.xml_document import MAX_DOCUMENT_BYTES
from bundler.store.interface import IndexRecord
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.kinds.base import Sources
    from bundler.model.digest import Blob
    from bundler.net.interface import Document
    from bundler.store.interface import BlobStore

_PLACE, _ETAG, _LAST_MODIFIED = "place", "etag", "last-modified"


def read_index(url: str, sources: Sources, *, anew: bool = False) -> Document:
    """Return the repomd.xml at a URL.

    Arguments:
        anew: whether to ask for it whole, whatever is remembered.

    Raises SourceError.
    """
    cached = None if anew else _cached(url, sources.store)
    return sources.downloader.read(url, max_bytes=MAX_DOCUMENT_BYTES, cached=cached)


def keep_index(url: str, document: Document, store: BlobStore) -> Blob:
    """Put a trusted repomd.xml into the store and remember what its server calls it. Raises StorageError."""
    blob = store.put(document.data)
    validators = document.validators
    if validators is None:
        store.index.remove(_name(url))
    elif not document.reused:
        fields = {_PLACE: validators.place, _ETAG: validators.etag, _LAST_MODIFIED: validators.last_modified}
        store.index.put(_name(url), IndexRecord(blob, fields))
    return blob


def _name(url: str) -> str:
    return tr("index {url}", url=url)


def _cached(url: str, store: BlobStore) -> CachedDocument | None:
    record = store.index.get(_name(url))
    if record is None or not store.has(record.blob) or record.blob.size > MAX_DOCUMENT_BYTES:
        return None
    try:
        data = store.read(record.blob)
    except (IntegrityError, StorageError):
        # damaged, and dropped by the store: the whole is asked for
        return None
    fields = record.fields
    return CachedDocument(
        data, Validators(fields.get(_PLACE, ""), fields.get(_ETAG, ""), fields.get(_LAST_MODIFIED, ""))
    )
