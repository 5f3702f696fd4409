"""Where a line may end: names, versions and options are read as a whole, and stay so on every width. Pure.

Browsers break after each hyphen and slash, and anywhere in what is too long; a style alone cannot say otherwise.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# what fits the narrowest of phones, as text and as code; longer pieces may break anywhere
MAX_NAME_CHARACTERS = 28
MAX_WORD_CHARACTERS = 26
# none of those of `http://`
_SLASH = re.compile(r"(?<![:/])/")
_TAG = re.compile(r"(?<=.)[:@]")
_BEFORE_VERSION = re.compile(r"-(?=\d)")
# Chinese, which is broken anywhere and has no spaces, stands apart from what is written between it
_CHINESE = "\u2e80-\u9fff\uff00-\uffef"
_WORD = re.compile(rf"\s+|[{_CHINESE}]+|[^\s{_CHINESE}]+")
# a sign that a line could end at, and something behind it
_BREAKABLE = re.compile(r"[^\w\s].")


class Piece(NamedTuple):
    """A part of a text.

    Arguments:
        whole: whether no line may end in it.
        parts: of a long word, which begins a line of its own before lines end between these.
    """

    text: str
    whole: bool
    parts: tuple[Piece, ...] = ()


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
    if slash := _SLASH.search(rest):
        return slash.end()
    mark = _TAG.search(rest)
    end = mark.start() if mark else len(rest)
    if versioned or rest[0] in ":@":
        return end
    version = _BEFORE_VERSION.search(rest[:end])
    return version.end() if version else end


def word_pieces(text: str) -> tuple[Piece, ...]:
    """Return the words of a text and what stands between them; whole are those that a browser would break.

    A word that is too long, an address most often, may be continued behind its slashes.
    """
    return tuple(map(_word, _WORD.findall(text)))


def _word(word: str) -> Piece:
    if len(word) > MAX_WORD_CHARACTERS:
        return Piece(word, whole=False, parts=() if word.isspace() else name_pieces(word))
    return Piece(word, word.isascii() and _BREAKABLE.search(word) is not None)
