"""Where a line may end: names, versions and options are read as a whole, and stay so on every width. Pure.

Browsers break after each hyphen and slash, and anywhere in what is too long; a style alone cannot say otherwise.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# what fits the narrowest of phones, as text and as code; longer pieces may break anywhere
MAX_NAME_CHARACTERS = 36
MAX_WORD_CHARACTERS = 32
_TAG = re.compile(r"(?<=.)[:@]")
_BEFORE_VERSION = re.compile(r"-(?=\d)")
_WORD = re.compile(r"\s+|\S+")
# a sign that a line could end at, and something behind it
_BREAKABLE = re.compile(r"[^\w\s].")


class Piece(NamedTuple):
    """A part of a text; `whole` for one that no line may end in."""

    text: str
    whole: bool


def name_pieces(name: str) -> tuple[Piece, ...]:
    """Return the parts of a name: `registry.k8s.io/`, `kube-proxy`, `:v1.22.1`; `kubelet-`, `1.22.1-0.x86_64.rpm`."""
    pieces: list[str] = []
    rest, versioned = name, False
    while rest:
        end = _end_of_piece(rest, versioned=versioned)
        versioned = versioned or rest[end - 1] == "-"
        pieces.append(rest[:end])
        rest = rest[end:]
    return tuple(Piece(piece, len(piece) <= MAX_NAME_CHARACTERS) for piece in pieces)


def _end_of_piece(rest: str, *, versioned: bool) -> int:
    """Return where the next part of a name ends: behind a slash, before a tag or digest, or before a version."""
    slash = rest.find("/")
    if slash >= 0:
        return slash + 1
    mark = _TAG.search(rest)
    end = mark.start() if mark else len(rest)
    if versioned or rest[0] in ":@":
        return end
    version = _BEFORE_VERSION.search(rest[:end])
    return version.end() if version else end


def word_pieces(text: str) -> tuple[Piece, ...]:
    """Return the words of a text and what stands between them; whole are those that a browser would break."""
    return tuple(
        Piece(word, len(word) <= MAX_WORD_CHARACTERS and _BREAKABLE.search(word) is not None)
        for word in _WORD.findall(text)
    )
