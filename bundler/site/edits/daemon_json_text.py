"""What a daemon.json holds, also one that was appended to, begins with a mark, or has a comma too many. Pure."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.host.file_changes import CannotEditError
from bundler.model.json_value import SETTINGS_DECODER, after_space, decode_one, unreadable_words
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

# a text, which may hold anything, or a comma before the end of what it stands in
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)
_REMEDY = tr("Mend it, or move it away: without one the engine has its defaults.")


@dataclass(frozen=True, slots=True)
class FoundSettings:
    """What a file holds.

    Arguments:
        options: all objects in it as one; of what stands twice, the last.
        mended: what makes it unreadable for dockerd, a phrase each; () for a file that it can read.
    """

    options: Mapping[str, Any]
    mended: tuple[str, ...] = ()


def read_settings(data: bytes) -> FoundSettings:
    """Read a daemon.json. Raises CannotEditError for what leaves open what was meant."""
    mended = []
    if data.startswith(codecs.BOM_UTF8):
        mended.append(tr("it begins with a byte order mark"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CannotEditError(unreadable_words(error), _REMEDY) from error
    try:
        objects = _objects(text)
    except ValueError as error:
        repaired = _TRAILING_COMMA.sub(lambda found: found[1] or "", text)
        if repaired == text:
            raise CannotEditError(unreadable_words(error), _REMEDY) from error
        try:
            objects = _objects(repaired)
        except ValueError:
            raise CannotEditError(unreadable_words(error), _REMEDY) from error
        mended.append(tr("a comma stands before the end of an object or a list"))
    if not objects:
        mended.append(tr("it is empty"))
    if len(objects) > 1:
        mended.append(tr("{count} objects stand one after the other, as appending leaves them", count=len(objects)))
    options: dict[str, Any] = {}
    for found in objects:
        options = overlaid(options, found)
    return FoundSettings(options, tuple(mended))


def _objects(text: str) -> list[dict[str, Any]]:
    found = []
    begin = after_space(text, 0)
    while begin < len(text):
        value, end = decode_one(text, begin, SETTINGS_DECODER)
        if not isinstance(value, dict):
            raise ValueError(tr("an object is wanted, not {text!r}", text=text[begin : begin + 20]))
        found.append(value)
        begin = end
    return found


def overlaid(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return two objects as one, and those in them as well; what stands in both, as the second has it."""
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        merged[key] = overlaid(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged
