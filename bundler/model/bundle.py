"""bundle.json, format 1: the index by which a bundle is served, verified and compared. docs/design.md, 6."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO

from bundler.errors import BundleFormatError, ErrorId
from bundler.model.about import decode_about, encode_about
from bundler.model.bundle_path import BundlePath, unlisted_problem
from bundler.model.delta_mark import Base, Mark, decode_mark, encode_mark, require_listed
from bundler.model.digest import Blob, Digest
from bundler.model.format_version import require_format
from bundler.model.json_listing import listing_pieces, load_listing
from bundler.model.json_value import Json, unreadable_words, want_text
from bundler.model.manifest import NAME_PATTERN, RELEASE_PATTERN
from bundler.model.placement import MODES
from bundler.model.platform import Platform
from bundler.model.shared_values import shared_platforms
from bundler.model.signature_name import first_name, signer_named
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.model.about import About

BUNDLE_FORMAT = 1
INDEX_PATH = BundlePath("bundle.json")
SUMS_PATH = BundlePath("SHA256SUMS")
SIGNATURE_PATH = BundlePath(first_name(SUMS_PATH))
MANIFEST_PATH = BundlePath("manifest.yaml")
LOCK_PATH = BundlePath("lock.json")
# what the bundle is made of, where it was built with that
SBOM_PATH = BundlePath("sbom.cdx.json")
_MODE_WORDS = {f"{mode:04o}": mode for mode in MODES}
MAX_INDEX_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """One listed path and what must lie there; `about` as for a `Placement`.

    Arguments:
        mark: why an archive does not carry it whole, where that is a delta; None for a path that it carries.
    """

    path: BundlePath
    blob: Blob
    mode: int
    kind: str
    roles: tuple[str, ...] = ()
    platforms: tuple[Platform, ...] = ()
    about: About | None = None
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class BundleIndex:
    """The whole index; `files` are sorted by path and unique.

    Arguments:
        deflate: the name of what its archive was compressed with (`bundler.compress.DEFLATERS`).
        bases: what its archive leaves paths to, as a delta does; empty where it carries all of them.
    """

    name: str
    release: str
    manifest: Digest
    lock: Digest
    platforms: tuple[Platform, ...]
    files: tuple[IndexedFile, ...]
    deflate: str = ""
    bases: tuple[Base, ...] = ()

    @property
    def file_count(self) -> int:
        """Files of the bundle: the listed ones, bundle.json and SHA256SUMS."""
        return len(self.files) + len((INDEX_PATH, SUMS_PATH))

    @property
    def content_bytes(self) -> int:
        """Bytes of all listed files together."""
        return sum(file.blob.size for file in self.files)


def is_signature(path: str) -> bool:
    """Tell whether a path of a bundle is a signature of it: it may lie there, and no index can list it."""
    return signer_named(path, SUMS_PATH) is not None


def bundle_id(index_bytes: bytes) -> str:
    """Return the bundle's id in full: the hex SHA-256 of bundle.json as it lies in the bundle."""
    return Digest.sha256(index_bytes).hex


def encode_index(index: BundleIndex) -> bytes:
    """Return the content of bundle.json."""
    return b"".join(index_pieces(index))


def index_pieces(index: BundleIndex) -> Iterator[bytes]:
    """Yield the same in pieces."""
    members: dict[str, Json] = {
        "format": BUNDLE_FORMAT,
        "name": index.name,
        "release": index.release,
        "manifest": str(index.manifest),
        "lock": str(index.lock),
        "platforms": [str(platform) for platform in index.platforms],
        **({"deflate": index.deflate} if index.deflate else {}),
        **({"base": [base.encode() for base in index.bases]} if index.bases else {}),
    }
    files = sorted(index.files, key=lambda file: file.path.encode())
    return listing_pieces(members, "files", map(_encode_file, files))


def _encode_file(file: IndexedFile) -> Json:
    return {
        "path": file.path,
        "size": file.blob.size,
        "sha256": file.blob.digest.hex,
        "mode": f"{file.mode:04o}",
        "kind": file.kind,
        "roles": list(file.roles),
        "platforms": [str(platform) for platform in file.platforms],
        "about": encode_about(file.about),
        **encode_mark(file.mark),
    }


def decode_index(data: bytes | BinaryIO, *, where: str) -> BundleIndex:
    """Read bundle.json, ignoring keys that this version does not know.

    Arguments:
        data: its content, or a file of it that can be read twice.
        where: the bundle's name, for messages.

    Raises BundleFormatError: a higher format, or not an index at all (unsafe and duplicate paths included).
    """
    try:
        listing = load_listing(data, "files", _decode_file)
        value = listing.members
        require_format(value["format"], BUNDLE_FORMAT, what="a bundle", where=where)
        files = tuple(listing.items)
        _refuse_duplicates(files)
        bases = tuple(map(Base.decode, value.get("base", ())))
        require_listed((file.mark for file in files if file.mark is not None), bases)
        name, release = value["name"], value.get("release", "")
        # both become file names, and a bundle is trusted with nothing
        if not NAME_PATTERN.fullmatch(name) or (release and not RELEASE_PATTERN.fullmatch(release)):
            raise ValueError(
                tr("{name!r}, release {release!r}, cannot be the name of a bundle", name=name, release=release)
            )
        return BundleIndex(
            name=name,
            release=release,
            manifest=Digest.parse(value["manifest"]),
            lock=Digest.parse(value["lock"]),
            platforms=tuple(Platform.parse(text) for text in value.get("platforms", ())),
            files=files,
            deflate=_word(value.get("deflate", "")),
            bases=bases,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleFormatError(
            ErrorId.BUNDLE_INVALID,
            tr("its bundle.json cannot be read: {reason}", reason=unreadable_words(error)),
            where=where,
            remedy=tr("Copy the bundle again; if that does not help, build it anew."),
        ) from error


def _decode_file(item: Any) -> IndexedFile:
    mode = _MODE_WORDS.get(want_text(item["mode"]))
    if mode is None:
        raise ValueError(tr("mode {item!r} is neither 0644 nor 0755", item=item["mode"]))
    size = item["size"]
    if not isinstance(size, int) or isinstance(size, bool):
        raise TypeError(tr("size {size!r} is not a number", size=size))
    return IndexedFile(
        path=BundlePath(item["path"]),
        blob=Blob(Digest("sha256", item["sha256"]), size),
        mode=mode,
        kind=sys.intern(str(item.get("kind", ""))),
        roles=_roles(tuple(item.get("roles", ()))),
        platforms=shared_platforms(tuple(item.get("platforms", ()))),
        about=decode_about(dict(item.get("about", {}))),
        mark=decode_mark(item),
    )


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no word")
    return value


# thousands of files share a few of these
@lru_cache(maxsize=64)
def _roles(words: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(str(word) for word in words)


def _refuse_duplicates(files: tuple[IndexedFile, ...]) -> None:
    seen: set[str] = set()
    for file in files:
        if problem := unlisted_problem(file.path):
            raise ValueError(tr("it lists {path}: {problem}", path=file.path, problem=problem))
        if file.path in seen:
            raise ValueError(tr("{path} is listed twice", path=file.path))
        seen.add(file.path)


def sums_text(files: tuple[IndexedFile, ...], index_bytes: bytes) -> bytes:
    """Return the content of SHA256SUMS, in the form `sha256sum -c` reads (coreutils manual, "md5sum invocation")."""
    return b"".join(sums_pieces(files, Digest.sha256(index_bytes)))


def sums_pieces(files: tuple[IndexedFile, ...], index: Digest) -> Iterator[bytes]:
    """Yield the same in pieces, a line each.

    Arguments:
        index: the digest of bundle.json.
    """
    yield f"{index.hex}  {INDEX_PATH}\n".encode()
    for file in sorted(files, key=lambda file: file.path.encode()):
        yield f"{file.blob.digest.hex}  {file.path}\n".encode()
