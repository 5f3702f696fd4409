"""A file of a base and a patch -> the bytes of the result, within the bounds of the recipe.

Whether they are the listed ones is for whoever asked to tell, by their digest: a base or a patch that lies may yield
anything of the right size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from bundler.delta.base_window import BaseWindow, UnreadableContentsError, contents_of
from bundler.delta.recompressors import recompressed, require_reproducing
from bundler.delta.window_frame import DamagedPatchError, decompressed_window
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.model.patch_recipe import PatchRecipe


def patched_chunks(recipe: PatchRecipe, old: BinaryIO, patch: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the result's bytes, in pieces.

    Arguments:
        old: the base's file, at its start; read forward, not closed.
        patch: its bytes, in pieces of any size; what follows them is left.

    Raises, while iterating, DamagedPatchError (a base or a patch that the recipe was not made for), ToolMissingError
    (another zlib, or gzip, than the recipe's), OSError, StorageError.
    """
    contents = _contents(recipe, old, patch)
    if recipe.recompression is None:
        yield from contents
        return
    require_reproducing(recipe.recompression.name)
    yield from recompressed(contents, recipe.recompression)


def _contents(recipe: PatchRecipe, old: BinaryIO, patch: Iterator[bytes]) -> Iterator[bytes]:
    frames = _Frames(patch)
    try:
        kept_bytes = max(window.base_bytes for window in recipe.windows)
        base = BaseWindow(contents_of(old, recipe.base_form), kept_bytes)
        for window in recipe.windows:
            if not base.reach(window.base_end):
                raise DamagedPatchError(tr("the base is too short for the patch"))
            prefix = base.last(window.base_bytes)
            yield from decompressed_window(frames.next(window.patch_bytes), prefix, window.result_bytes)
    except UnreadableContentsError as error:
        raise DamagedPatchError(tr("the base is not what the patch was made for: {error}", error=error)) from error


class _Frames:
    """A patch, cut into its frames."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def next(self, count: int) -> Iterator[bytes]:
        """Yield the next bytes in pieces, fewer only where the patch ends."""
        while count:
            while not self._rest:
                try:
                    self._rest = memoryview(next(self._pieces))
                except StopIteration:
                    return
            piece, self._rest = self._rest[:count], self._rest[count:]
            count -= len(piece)
            yield bytes(piece)
