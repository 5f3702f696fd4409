"""Paths inside a bundle: relative, unambiguous on every file system, never able to leave the root."""

from __future__ import annotations

import re
import unicodedata
from typing import Self

from bundler.model.steering import BIDI
from bundler.translation import tr

MAX_SEGMENT_BYTES = 255
MAX_PATH_BYTES = 1024
# docs/design.md, 6, "Reserved top-level names"; a kind that owns one of them places there by itself
RESERVED = frozenset(
    {
        "bundle.json",
        "SHA256SUMS",
        "SHA256SUMS.sig",
        "install.sh",
        "bin",
        "runtime",
        "manifest.yaml",
        "lock.json",
        "yum",
        "k8simage",
        "v2",
        "-",
        "current",
        "sbom.cdx.json",
        "subset.json",
    }
)
# what no index lists: it describes the bundle from beside, or belongs to whoever serves or unpacks it
UNLISTED = frozenset({"bundle.json", "SHA256SUMS", "SHA256SUMS.sig", "subset.json", "v2", "-", "current"})
_RESERVED_KEYS = frozenset(map(str.casefold, RESERVED))
_UNLISTED_KEYS = frozenset(map(str.casefold, UNLISTED))
_FURTHER_SIGNATURES = "sha256sums.sig."
# what nearly every path is, told in one step: printable ASCII, no backslash, no segment that is too long or all dots
_PLAIN_SEGMENT = rf"(?!\.\.?(?:/|\Z))[ -.0-\[\]-~]{{1,{MAX_SEGMENT_BYTES}}}"
_PLAIN = re.compile(rf"{_PLAIN_SEGMENT}(?:/{_PLAIN_SEGMENT})*")


class BundlePath(str):
    """A safe relative path with `/` between its segments; ValueError says what is wrong with any other text."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if isinstance(text, cls):
            # checked before; and one text, not two equal ones
            return text
        if problem := _problem(text):
            raise ValueError(f"{text!r} {problem}")
        return super().__new__(cls, text)

    @property
    def collision_key(self) -> str:
        """What two paths may not share: the path after NFC and case folding."""
        return unicodedata.normalize("NFC", self).casefold()

    @property
    def parents(self) -> tuple[str, ...]:
        """Every directory above the path, outermost first: `a/b/c` -> (`a`, `a/b`)."""
        parts = self.split("/")
        return tuple("/".join(parts[: depth + 1]) for depth in range(len(parts) - 1))


def _problem(text: str) -> str:
    if len(text) <= MAX_PATH_BYTES and _PLAIN.fullmatch(text):
        return ""
    if not text:
        return tr("is empty")
    if text.startswith("/"):
        return tr("is absolute; a path in the bundle is relative")
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
        return tr("holds a control character")
    if BIDI.search(text):
        return tr("holds a character that turns the reading order")
    if "\\" in text:
        return tr("holds a backslash")
    if problem := encoding_problem(text):
        return problem
    if len(text.encode()) > MAX_PATH_BYTES:
        return tr("is longer than {max_path_bytes} bytes", max_path_bytes=MAX_PATH_BYTES)
    for segment in text.split("/"):
        if segment in ("", ".", ".."):
            return tr("has the segment {segment!r}", segment=segment)
        if len(segment.encode()) > MAX_SEGMENT_BYTES:
            return tr("has a segment longer than {max_segment_bytes} bytes", max_segment_bytes=MAX_SEGMENT_BYTES)
    return ""


def encoding_problem(text: str) -> str:
    """Return what keeps a name that does no harm from being one of a bundle, or "": how its letters are encoded."""
    if any(unicodedata.category(character) == "Cs" for character in text):
        return tr("is not in UTF-8")
    return "" if unicodedata.normalize("NFC", text) == text else tr("is not in Unicode normal form C")


def reserved_problem(path: BundlePath) -> str:
    """Return why an entry of the manifest may not be placed here, or "" when it may."""
    return _taken(path, _RESERVED_KEYS)


def unlisted_problem(path: BundlePath) -> str:
    """Return why no bundle.json may list this path, or "" when it may."""
    return _taken(path, _UNLISTED_KEYS)


def _taken(path: BundlePath, names: frozenset[str]) -> str:
    top = path.partition("/")[0]
    if top.startswith("@") or top.casefold() in names or top.casefold().startswith(_FURTHER_SIGNATURES):
        return tr("{top!r} is a reserved top-level name of the bundle", top=top)
    return ""
