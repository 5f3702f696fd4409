"""From a bundle to its bill of materials: look inside, tell the components, say whose bill it is.

Owns whose bytes are believed: none. What is looked into is compared with what the index lists.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bundler.archive.faults import damaged
from bundler.materials.component import BillOfMaterials, Component
from bundler.materials.components import bill_components
from bundler.materials.inner_content import is_looked_into, read_inner_content
from bundler.model.bundle import INDEX_PATH, SUMS_PATH, is_signature
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bundler.archive.bundle_reader import BundleReader
    from bundler.errors import IntegrityError
    from bundler.materials.inner_content import Chunks, InnerContent
    from bundler.model.bundle import BundleIndex, IndexedFile
    from bundler.model.progress import Task

SUBJECT = "bundle"


def bill_of_bundle(reader: BundleReader, task: Task) -> BillOfMaterials:
    """Return the bill of every path of SHA256SUMS.

    Arguments:
        task: advanced by the bytes that are looked into; not finished here.

    Raises IntegrityError (BUNDLE_DAMAGED: a file that is looked into is not the listed one, or an archive lacks it),
    ToolMissingError as `read_inner_content` does, and what the reader raises.
    """
    checked = reader.checked
    dates: list[int] = []
    missing = {path for path, file in checked.listed.items() if is_looked_into(file)}
    # a delta leaves layers to its bases
    left = missing - reader.expected(frozenset(missing))
    missing -= left
    findings = read_inner_content(_contents(reader, task, dates, missing))
    if missing and reader.gives_all:
        path = min(missing)
        raise damaged(
            checked.where,
            tr("{path} is missing", path=path),
            want=str(checked.listed[path].blob.digest),
            got=tr("nothing"),
        )
    # a tree may hold a part of its bundle
    unread = {**dict.fromkeys(missing, "is not in this tree"), **dict.fromkeys(left, "is left to the delta's base")}
    findings = replace(findings, unread={**findings.unread, **unread})
    described = [file for path, file in checked.listed.items() if path != SUMS_PATH and not is_signature(path)]
    return bill_of_materials(checked.index, described, findings, bundle_id=checked.id, date=max(dates, default=0))


def bill_of_materials(
    index: BundleIndex, files: Sequence[IndexedFile], findings: InnerContent, *, bundle_id: str = "", date: int
) -> BillOfMaterials:
    """Return a bill.

    Arguments:
        files: what it describes.
        bundle_id: in full; "" where the bill is in the bundle, and so a part of what the id is made of.
        date: of the newest thing in the bundle, in seconds since the epoch.
    """
    components = bill_components(files, findings)
    inner = {part for component in components for part in component.parts}
    described = "".join(f"{file.blob.digest.hex}  {file.path}\n" for file in sorted(files, key=lambda file: file.path))
    subject = Component(
        ref=SUBJECT,
        type="application",
        name=index.name,
        version=index.release,
        facts=(
            *((("id", bundle_id),) if bundle_id else ()),
            ("manifest", str(index.manifest)),
            ("lock", str(index.lock)),
            *(("platform", str(platform)) for platform in index.platforms),
        ),
        parts=tuple(component.ref for component in components if component.ref not in inner),
    )
    name = hashlib.sha256(described.encode()).hexdigest()
    return BillOfMaterials(str(uuid.uuid5(uuid.NAMESPACE_OID, name)), date, subject, components)


def hashed(
    file: IndexedFile, chunks: Chunks, advance: Callable[[int], None], fault: Callable[[str], Exception]
) -> Chunks:
    """Yield a file's chunks, and raise at their end unless they were the listed bytes.

    Arguments:
        advance: called with the bytes of each.
        fault: returns what is raised, for the digest that was found.
    """
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        advance(len(chunk))
        yield chunk
    if digest.hexdigest() != file.blob.digest.hex:
        raise fault(digest.hexdigest())


def _contents(
    reader: BundleReader, task: Task, dates: list[int], missing: set[str]
) -> Iterator[tuple[IndexedFile, Chunks]]:
    """Yield what is looked into.

    Arguments:
        dates: gets that of bundle.json, which is the newest of all.
        missing: what is wanted; whatever comes is taken out of it.
    """
    for file in reader.files(frozenset({*missing, INDEX_PATH})):
        if file.path == INDEX_PATH:
            dates.append(file.mtime)
        elif file.listed is not None and file.path in missing:
            missing.remove(file.path)
            fault = partial(_damaged, reader.checked.where, file.listed)
            yield file.listed, hashed(file.listed, file.chunks, task.advance, fault)


def _damaged(where: str, file: IndexedFile, got: str) -> IntegrityError:
    return damaged(where, tr("{path} is not the listed one", path=file.path), want=file.blob.digest.hex, got=got)
