"""What bundle.json says of a path beside its bytes, `about`: one value for each form that the kinds write.

Owns the keys. A bundle is trusted with nothing, so `decode_about` refuses nothing either: keys that it does not know
are ignored, and a value of another type, or that cannot be parsed, counts as absent. What follows from it for a
bundle's images is decided in `bundler.model.image.bundled`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from bundler.model.artifact import HeldTo
from bundler.model.digest import Digest
from bundler.model.platform import Platform
from bundler.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bundler.model.json_value import Json

T = TypeVar("T")
_OF_IMAGES = frozenset({"media_type", "images"})
_OF_FILES = frozenset({"url", "held_to", "member"})


@dataclass(frozen=True, slots=True)
class TopAbout:
    """What the document that stands for an image, its top, says of the whole image.

    Arguments:
        names: what the image is called, source hosts in front.
        platforms: those that the bundle holds it for.
        digest: the lock's; of this very document, as our builder writes it.
        held_to: what vouched for it.
        foreign_layers: layers that belong to it and that no bundle holds.
    """

    names: tuple[Reference, ...]
    platforms: tuple[Platform, ...]
    digest: Digest
    held_to: HeldTo | None
    foreign_layers: tuple[Digest, ...] = ()

    def encode(self) -> dict[str, Json]:
        """Return its keys of the JSON object."""
        return {
            "names": list(map(str, self.names)),
            "platforms": list(map(str, self.platforms)),
            "digest": str(self.digest),
            **_encode_held_to(self.held_to),
            **({"foreign_layers": list(map(str, self.foreign_layers))} if self.foreign_layers else {}),
        }

    @classmethod
    def decode(cls, value: Mapping[str, Json]) -> TopAbout | None:
        """Return what an image's top says; None for a blob that names no digest and so is none."""
        digest = _parsed([value["digest"]], Digest.parse) if "digest" in value else ()
        if not digest:
            return None
        return cls(
            names=_references(value.get("names")),
            platforms=_parsed(value.get("platforms"), _platform),
            digest=digest[0],
            held_to=_held_to(value.get("held_to")),
            foreign_layers=_parsed(value.get("foreign_layers"), Digest.parse),
        )


@dataclass(frozen=True, slots=True)
class ImageAbout:
    """Of a blob that images are made of: document, config or layer.

    Arguments:
        media_type: what its images call it.
        images: those that need it, each as it was asked for.
        top: what it says of an image as a whole; None for all blobs but the images' tops.
    """

    media_type: str
    images: tuple[Reference, ...]
    top: TopAbout | None = None

    def encode(self) -> dict[str, Json]:
        """Return its JSON object."""
        top = {} if self.top is None else self.top.encode()
        return {"media_type": self.media_type, "images": list(map(str, self.images)), **top}

    @classmethod
    def decode(cls, value: Mapping[str, Json]) -> ImageAbout:
        """Read what `encode` wrote."""
        return cls(_text(value.get("media_type")), _references(value.get("images")), TopAbout.decode(value))


@dataclass(frozen=True, slots=True)
class PackageAbout:
    """Of a package.

    Arguments:
        nevra: its full name as text, to be read by `Nevra.parse`: people are shown whatever stands there.
        summary: its own line on what it is.
        repo: id of the upstream repository.
        url: where it came from.
        held_to: what vouched for it.
    """

    nevra: str
    summary: str
    repo: str
    url: str
    held_to: HeldTo | None

    def encode(self) -> dict[str, Json]:
        """Return its JSON object."""
        return {
            "nevra": self.nevra,
            "summary": self.summary,
            "repo": self.repo,
            "url": self.url,
            **_encode_held_to(self.held_to),
        }

    @classmethod
    def decode(cls, value: Mapping[str, Json]) -> PackageAbout:
        """Read what `encode` wrote."""
        return cls(
            nevra=_text(value.get("nevra")),
            summary=_text(value.get("summary")),
            repo=_text(value.get("repo")),
            url=_text(value.get("url")),
            held_to=_held_to(value.get("held_to")),
        )


@dataclass(frozen=True, slots=True)
class FileAbout:
    """Of a plain file.

    Arguments:
        url: where it, or the archive that it is from, was downloaded.
        held_to: what vouched for the download.
        member: its path in that archive; "" for a whole download.
    """

    url: str
    held_to: HeldTo | None
    member: str = ""

    def encode(self) -> dict[str, Json]:
        """Return its JSON object."""
        return {"url": self.url, **_encode_held_to(self.held_to), **({"member": self.member} if self.member else {})}

    @classmethod
    def decode(cls, value: Mapping[str, Json]) -> FileAbout:
        """Read what `encode` wrote."""
        return cls(_text(value.get("url")), _held_to(value.get("held_to")), _text(value.get("member")))


About = ImageAbout | PackageAbout | FileAbout


def encode_about(about: About | None) -> dict[str, Json]:
    """Return the JSON object of a path, empty for one of which there is nothing to say."""
    return {} if about is None else about.encode()


def decode_about(value: Mapping[str, Json]) -> About | None:
    """Return what is said of a path; None when that is nothing. Its form decides, since kinds may share one."""
    if _text(value.get("nevra")):
        return PackageAbout.decode(value)
    if not _OF_IMAGES.isdisjoint(value):
        return ImageAbout.decode(value)
    return None if _OF_FILES.isdisjoint(value) else FileAbout.decode(value)


def _encode_held_to(held_to: HeldTo | None) -> dict[str, Json]:
    return {} if held_to is None else {"held_to": held_to.encode()}


def _held_to(value: Json) -> HeldTo | None:
    if not isinstance(value, dict):
        return None
    return _vouched(_text(value.get("by")), _text(value.get("detail")), _text(value.get("via")))


# thousands of paths share a few of these
@lru_cache(maxsize=1024)
def _vouched(by: str, detail: str, via: str) -> HeldTo | None:
    try:
        return HeldTo.decode({"by": by, "detail": detail, "via": via})
    except ValueError:
        return None


# an image's name stands at each of its blobs, and those lie in the order of their digests: as many as images
@lru_cache(maxsize=65536)
def _reference(text: str) -> Reference:
    return Reference.parse(text)


@lru_cache(maxsize=64)
def _platform(text: str) -> Platform:
    return Platform.parse(text)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _parsed(value: Json, parse: Callable[[str], T]) -> tuple[T, ...]:
    """Return the texts of a list that can be parsed."""
    found: list[T] = []
    for text in value if isinstance(value, list) else ():
        if isinstance(text, str):
            try:
                found.append(parse(text))
            except ValueError:
                continue
    return tuple(found)


def _references(value: Json) -> tuple[Reference, ...]:
    return _parsed(value, _reference)
