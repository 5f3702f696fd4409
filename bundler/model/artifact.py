"""What locking makes of an entry: pinned content, and what it was held to when it was pinned. docs/design.md, 4."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args, runtime_checkable

from bundler.model.json_value import want_text
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bundler.model.bundle_path import BundlePath
    from bundler.model.digest import Blob
    from bundler.model.json_value import Json
    from bundler.model.platform import Platform

Authority = Literal["manifest", "published-checksum", "signature", "first-use"]


@dataclass(frozen=True, slots=True)
class HeldTo:
    """What vouched for the bytes when they were locked.

    `by`: a digest in the manifest itself, a checksum published upstream, a signature, or nothing (first use).
    `detail`: the checksum's URL or the signing key's id. `via`: the upstream mirror's prefix, or "".
    """

    by: Authority
    detail: str = ""
    via: str = ""

    def __post_init__(self) -> None:
        if self.by not in get_args(Authority):
            raise ValueError(
                tr("{by!r} is not one of {Authority}", by=self.by, Authority=", ".join(get_args(Authority)))
            )

    def __str__(self) -> str:
        return " ".join(
            part for part in (self.by, self.detail, tr("via {via}", via=self.via) if self.via else "") if part
        )

    def encode(self) -> Json:
        """Return the JSON object of locks and bundle indexes; empty fields are left out."""
        return {key: text for key, text in (("by", self.by), ("detail", self.detail), ("via", self.via)) if text}

    @classmethod
    def decode(cls, value: Mapping[str, Any]) -> HeldTo:
        """Read what `encode` wrote; KeyError, TypeError or ValueError when it is something else."""
        detail, via = want_text(value.get("detail", "")), want_text(value.get("via", ""))
        return _held_to(want_text(value["by"]), detail, via)


# thousands of files share a few of these
@lru_cache(maxsize=256)
def _held_to(by: str, detail: str, via: str) -> HeldTo:
    return HeldTo(_authority(by), detail, via)


def _authority(text: str) -> Authority:
    for known in get_args(Authority):
        if text == known:
            return known  # type: ignore[no-any-return] # get_args is untyped; known is a member of Authority
    raise ValueError(tr("{text!r} is not one of {Authority}", text=text, Authority=", ".join(get_args(Authority))))


class Artifact(Protocol):
    """One pinned piece of content; each kind has a frozen class of its own for it."""

    @property
    def key(self) -> str:
        """Unique name within the kind: the path in the bundle, or the image reference, variables expanded."""

    @property
    def version(self) -> str:
        """What `bundler diff` shows as old and new: a digest, a NEVRA."""

    @property
    def size(self) -> int:
        """Bytes it takes in the bundle."""

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platforms it is for; empty when it is for any."""

    @property
    def held_to(self) -> HeldTo:
        """What vouched for it."""

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """What the store must hold before it can be placed."""

    @property
    def placed(self) -> Mapping[BundlePath, Blob]:
        """The files of the bundle that it stands for, and their bytes.

        What the builder makes beside them (repodata, the documents of an image layout) is in no lock.
        """

    def encode(self) -> Json:
        """Return its JSON object in the lock."""


@runtime_checkable
class Aliased(Protocol):
    """An artifact that `--update` may call by other names as well as by its key."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Its other names, as a person would write them."""


@runtime_checkable
class Titled(Protocol):
    """An artifact whose key leaves out what tells its versions apart."""

    @property
    def title(self) -> str:
        """What a person calls it: its key with the version."""


@runtime_checkable
class Composed(Protocol):
    """An artifact of parts whose paths say nothing of what they are, as the layers of an image."""

    @property
    def parts(self) -> Mapping[str, Blob]:
        """Its parts, each by a name that the same part has in another version."""


def title_of(artifact: Artifact) -> str:
    """Return what tables call an artifact."""
    return artifact.title if isinstance(artifact, Titled) else artifact.key


def table_order(kind: str, key: str) -> tuple[str, list[str]]:
    """Return what tables are sorted by: kinds by their names, keys as directories list them."""
    return kind, key.split("/")


@runtime_checkable
class Remarked(Protocol):
    """An artifact of which whoever plans, builds or inspects has to know more than its size."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """A few words each."""


@runtime_checkable
class Versioned(Protocol):
    """An artifact of which there are several versions that are known apart by more than their digests."""

    @property
    def series(self) -> str:
        """The name that all its versions have in common; another key may stand for another version."""

    @property
    def label(self) -> str:
        """Which of them this one is, as people say it."""

    @property
    def label_order(self) -> Callable[[str, str], int]:
        """What compares two labels: negative where the first is older, positive where it is newer, 0 for neither."""
