"""Two files -> the patch between their contents, where that is worth it.

Same files, same zstd: same bytes. Memory is a window of the base twice, one of the result, and what zstd takes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO

from bundler.delta.alignment import AnchorIndex
from bundler.delta.base_window import BaseWindow, UnreadableContentsError, contents_of, cut
from bundler.delta.gzip_member import is_gzip
from bundler.delta.recompressor_search import recompression_of
from bundler.delta.window_frame import compressed_window
from bundler.delta.worth import DENOMINATOR, NUMERATOR, PatchWorth
from bundler.model.digest import Blob, Digest
from bundler.model.json_value import dump_canonical
from bundler.model.patch_recipe import MIN_PATCHED_BYTES, MIN_PREFIX_BYTES, PatchRecipe, PatchWindow, encode_recipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bundler.delta.base_window import ContentReader
    from bundler.model.patch_recipe import Form

# a format's window of 32 MiB would want 30 MiB more of memory, and find no more
RESULT_WINDOW_BYTES = 8 * 1024 * 1024
BASE_WINDOW_BYTES = 24 * 1024 * 1024
# of the base behind the place of a window: as much as before it
AHEAD_BYTES = 8 * 1024 * 1024
_MAGIC_BYTES = 4
# what is looked at of each so many bytes, to tell whether a file has anything of a base: whatever is worth it is larger
_LOOKED_AT_BYTES, _STRIDE_BYTES = 256 * 1024, 1024 * 1024


def make_patch(old: Path, new: Path, out: BinaryIO) -> PatchRecipe | None:
    """Write the patch that leads from one file to another, and return its recipe.

    None where it would not be worth it, and nothing that was written counts: small files, little in common, contents
    whose compression cannot be repeated.

    Raises OSError, StorageError.
    """
    size = new.stat().st_size
    if size <= MIN_PATCHED_BYTES:
        return None
    packed, base_form = _is_gzip(new), _form(old)
    worth = PatchWorth(size, is_packed=packed)
    try:
        anchors = _anchors(old, base_form)
        # long before it is known who compressed it
        if not _is_alike(new, anchors):
            return None
        recompression = recompression_of(new)
        if packed and recompression is None and base_form != "plain":
            base_form = "plain"
            anchors = _anchors(old, base_form)
        with old.open("rb") as base, new.open("rb") as result:
            contents = contents_of(result, "plain" if recompression is None else "gzip")
            made = _written(_windows(contents_of(base, base_form), contents, anchors, worth), out, worth)
    except UnreadableContentsError:
        return None
    if made is None:
        return None
    windows, patch = made
    recipe = PatchRecipe(_digest(old), base_form, patch, windows, recompression)
    return recipe if worth.allows(patch.size + len(dump_canonical(encode_recipe(recipe)))) else None


def _form(path: Path) -> Form:
    return "gzip" if _is_gzip(path) else "plain"


def _anchors(old: Path, form: Form) -> AnchorIndex:
    with old.open("rb") as base:
        return AnchorIndex(contents_of(base, form))


def _is_alike(new: Path, anchors: AnchorIndex) -> bool:
    """Tell whether a file has anything of a base, as far as that shows."""
    looked_at = foreign = 0
    with new.open("rb") as result:
        try:
            for piece in cut(contents_of(result, _form(new)), _STRIDE_BYTES):
                found = anchors.may_have(piece[:_LOOKED_AT_BYTES])
                if found:
                    return True
                looked_at += len(piece)
                foreign += len(piece) if found is False else 0
        except UnreadableContentsError:
            # what is no gzip to its end may be like the base as it lies there
            return True
    # the end of an archive, zeros, tells nothing, and is no reason to look for more
    return foreign * DENOMINATOR < looked_at * NUMERATOR


def _written(
    made: Iterator[tuple[PatchWindow, bytes]], out: BinaryIO, worth: PatchWorth
) -> tuple[tuple[PatchWindow, ...], Blob] | None:
    windows, total, patch_bytes = [], hashlib.sha256(), 0
    for window, frame in made:
        patch_bytes += len(frame)
        if not worth.allows(patch_bytes):
            return None
        windows.append(window)
        total.update(frame)
        out.write(frame)
    return tuple(windows), Blob(Digest("sha256", total.hexdigest()), patch_bytes)


def _windows(
    old: ContentReader, new: ContentReader, anchors: AnchorIndex, worth: PatchWorth
) -> Iterator[tuple[PatchWindow, bytes]]:
    """Yield the windows of a patch, each with its frame."""
    base, drift, offset = BaseWindow(old, BASE_WINDOW_BYTES), 0, 0
    for result in cut(new, RESULT_WINDOW_BYTES):
        worth.see(result)
        found = anchors.drift_of(result, offset, drift)
        # what is new waits for what the base goes on with
        if found is not None:
            drift = found
            base.reach(offset + drift + len(result) + AHEAD_BYTES)
        prefix = base.at_hand
        if len(prefix) < MIN_PREFIX_BYTES:
            prefix = prefix[:0]
        frame = compressed_window(result, prefix)
        yield PatchWindow(base.end - len(prefix), len(prefix), len(result), len(frame)), frame
        offset += len(result)


def _digest(path: Path) -> Digest:
    with path.open("rb") as file:
        return Digest("sha256", hashlib.file_digest(file, "sha256").hexdigest())


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return is_gzip(file.read(_MAGIC_BYTES))
