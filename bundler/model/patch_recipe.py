"""How a file of a bundle is made of a file that a base has, and of a patch: the key `patch` of a path in bundle.json.

Owns the recipe's values, its bounds and its JSON (docs/formats.md, "Patches"). A recipe was written by somebody else:
whatever is read here may neither cost more memory than a window, nor more work than the size of the result allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from bundler.model.digest import MAX_SIZE, Blob, Digest
from bundler.model.json_value import want_count, want_text
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.json_value import Json

# the most that a window may hold of either side: what bounds the memory of whoever applies it
MAX_WINDOW_BYTES = 32 * 1024 * 1024
# windows but the last yield so much, since each costs as much as its part of the base
MIN_RESULT_BYTES = 1024 * 1024
# RFC 8878, 3.1.1.2: what does not compress grows by 3 bytes in each block of 128 KiB; the rest is the frame's own
MAX_FRAME_GROWTH_BYTES = 64 * 1024
# what smaller files take is hardly more than their recipes would
MIN_PATCHED_BYTES = 64 * 1024
# and what smaller ones give is hardly more than a recipe takes
MIN_BASE_BYTES = 4096
# zstd takes no shorter prefix
MIN_PREFIX_BYTES = 8
# RFC 1951: 258 bytes take two codes of at least one bit each
MAX_INFLATION = 1032
# RFC 1952, 2.3.1: ten bytes, a name, a comment and extra fields
MIN_HEADER_BYTES, MAX_HEADER_BYTES = 10, 4096

Form = Literal["gzip", "plain"]
RecompressorName = Literal["gzip", "pigz", "zlib"]


@dataclass(frozen=True, slots=True)
class PatchWindow:
    """One frame of a patch: some bytes of the base, beside which some bytes of the result were compressed.

    Arguments:
        base_offset: of the former, in the base's contents.
        base_bytes: how many they are; 0 where the frame needs none.
        result_bytes: what the frame gives.
        patch_bytes: the frame's own size.

    Raises ValueError when a size is out of bounds.
    """

    base_offset: int
    base_bytes: int
    result_bytes: int
    patch_bytes: int

    def __post_init__(self) -> None:
        if not 0 <= self.base_offset <= MAX_SIZE - MAX_WINDOW_BYTES:
            raise ValueError(tr("a window cannot begin at {offset}", offset=self.base_offset))
        if self.base_bytes and not MIN_PREFIX_BYTES <= self.base_bytes <= MAX_WINDOW_BYTES:
            raise ValueError(tr("a window cannot hold {size} bytes of the base", size=self.base_bytes))
        if not 0 < self.result_bytes <= MAX_WINDOW_BYTES:
            raise ValueError(tr("a window cannot give {size} bytes", size=self.result_bytes))
        if not 0 < self.patch_bytes <= self.result_bytes + MAX_FRAME_GROWTH_BYTES:
            raise ValueError(tr("a window cannot have {size} bytes of a patch", size=self.patch_bytes))

    @property
    def base_end(self) -> int:
        """Where its bytes of the base end."""
        return self.base_offset + self.base_bytes


@dataclass(frozen=True, slots=True)
class Recompression:
    """How contents become the one gzip member that the result is, to the byte.

    Arguments:
        name: who compresses: docs/formats.md, "Patches", has what each name means.
        header: the member's header as it is (RFC 1952, 2.3.1); its trailer follows from the contents.
        level: 1 to 9.
        memory_level: zlib's memLevel, 1 to 9.
        strategy: zlib's strategy, 0 (the default one) to 4.

    Raises ValueError when a value is out of bounds.
    """

    name: RecompressorName
    header: bytes
    level: int
    memory_level: int = 8
    strategy: int = 0

    def __post_init__(self) -> None:
        if self.name not in get_args(RecompressorName):
            raise ValueError(tr("the re-compressor {name!r} is not known here", name=self.name))
        if not MIN_HEADER_BYTES <= len(self.header) <= MAX_HEADER_BYTES:
            raise ValueError(tr("a gzip header cannot have {size} bytes", size=len(self.header)))
        if not (1 <= self.level <= 9 and 1 <= self.memory_level <= 9 and 0 <= self.strategy <= 4):
            raise ValueError(tr("zlib has no such level, memory level or strategy"))


@dataclass(frozen=True, slots=True)
class PatchRecipe:
    """What to do with a file of a base and a patch to get the listed bytes.

    Arguments:
        base: the digest of the base's file, as it lies there.
        base_form: what has to be undone before its windows are read.
        patch: the windows' frames, one behind the other: the member `@delta/HEX` of the archive.
        windows: in the order of the result.
        recompression: what the contents go through in the end; None where they are the result.

    Raises ValueError when the windows go backwards in the base, or do not use up the patch.
    """

    base: Digest
    base_form: Form
    patch: Blob
    windows: tuple[PatchWindow, ...]
    recompression: Recompression | None = None

    def __post_init__(self) -> None:
        if self.base.algorithm != "sha256":
            raise ValueError(tr("a blob is named by its sha256, not {algorithm}", algorithm=self.base.algorithm))
        if self.base_form not in get_args(Form):
            raise ValueError(tr("the form {form!r} is not known here", form=self.base_form))
        if not self.windows:
            raise ValueError(tr("a patch without windows gives nothing"))
        if sum(window.patch_bytes for window in self.windows) != self.patch.size:
            raise ValueError(tr("the windows do not use up the patch"))
        if any(window.result_bytes < MIN_RESULT_BYTES for window in self.windows[:-1]):
            raise ValueError(tr("only the last window may give less than {size} bytes", size=MIN_RESULT_BYTES))
        for before, window in zip(self.windows, self.windows[1:], strict=False):
            if window.base_offset < before.base_offset or window.base_end < before.base_end:
                raise ValueError(tr("the windows go backwards in the base"))

    @property
    def content_bytes(self) -> int:
        """How much its windows give."""
        return sum(window.result_bytes for window in self.windows)

    def require_result(self, size: int) -> None:
        """Raise ValueError unless windows of such sizes can give a result of this one, in bytes."""
        fits = (
            self.content_bytes == size
            if self.recompression is None
            else self.content_bytes <= (size + 1) * MAX_INFLATION
        )
        if not fits:
            raise ValueError(tr("{content} bytes do not become {size}", content=self.content_bytes, size=size))


def encode_recipe(recipe: PatchRecipe) -> dict[str, Json]:
    """Return the JSON form."""
    value: dict[str, Json] = {
        **recipe.patch.encode(),
        "base": str(recipe.base),
        "base_form": recipe.base_form,
        "windows": [
            [window.base_offset, window.base_bytes, window.result_bytes, window.patch_bytes]
            for window in recipe.windows
        ],
    }
    if recipe.recompression is not None:
        value["gzip"] = {
            "by": recipe.recompression.name,
            "header": recipe.recompression.header.hex(),
            "level": recipe.recompression.level,
            "memory_level": recipe.recompression.memory_level,
            "strategy": recipe.recompression.strategy,
        }
    return value


def decode_recipe(value: Any, result_size: int) -> PatchRecipe:
    """Read the JSON form; unknown keys are passed over.

    Arguments:
        value: what `encode_recipe` wrote, or anything else.
        result_size: what bundle.json says of the path, in bytes.

    Raises ValueError for anything that is no recipe within its bounds.
    """
    try:
        gzip = value.get("gzip")
        recipe = PatchRecipe(
            Digest.parse(want_text(value["base"])),
            want_text(value["base_form"]),  # type: ignore[arg-type] # checked by PatchRecipe
            Blob.decode(value),
            _windows(value["windows"]),
            None if gzip is None else _recompression(gzip),
        )
    except KeyError as error:
        raise ValueError(tr("{args!r} is missing", args=error.args[0])) from None
    except (TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None
    recipe.require_result(result_size)
    return recipe


def _windows(rows: Sequence[Any]) -> tuple[PatchWindow, ...]:
    windows = []
    for row in rows:
        base_offset, base_bytes, result_bytes, patch_bytes = map(want_count, row)
        windows.append(PatchWindow(base_offset, base_bytes, result_bytes, patch_bytes))
    return tuple(windows)


def _recompression(value: Any) -> Recompression:
    header = want_text(value["header"])
    if len(header) > 2 * MAX_HEADER_BYTES:
        raise ValueError(tr("a gzip header cannot have {size} bytes", size=len(header) // 2))
    return Recompression(
        want_text(value["by"]),  # type: ignore[arg-type] # checked by Recompression
        bytes.fromhex(header),
        want_count(value["level"]),
        want_count(value["memory_level"]),
        want_count(value["strategy"]),
    )
