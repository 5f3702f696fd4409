"""One window of a patch: a zstd frame whose prefix is a part of the base (RFC 8878; zstd's ZSTD_CCtx_refPrefix)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bundler.model.patch_recipe import MIN_PREFIX_BYTES
from bundler.translation import tr

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_BYTES = 512 * 1024
# 2**25 is the most that a frame may ask for: a window of a patch
_MAX_WINDOW_LOG = 25
_COMPRESSING: dict[int, int] = {
    zstd.CompressionParameter.compression_level: 3,
    # far matches beside the near ones: the one part of zstd that looks at all of the prefix
    zstd.CompressionParameter.enable_long_distance_matching: 1,
    zstd.CompressionParameter.content_size_flag: 1,
    zstd.CompressionParameter.checksum_flag: 1,
    zstd.CompressionParameter.dict_id_flag: 0,
    # threads would cut frames otherwise
    zstd.CompressionParameter.nb_workers: 0,
}


class DamagedPatchError(Exception):
    """A patch, or what it is applied to, is not what its recipe was made from; whoever applies it translates it."""


def compressed_window(result: memoryview, prefix: memoryview) -> bytes:
    """Return the frame that gives `result` beside `prefix`; the same bytes with the same zstd.

    Arguments:
        prefix: empty, or MIN_PREFIX_BYTES and more.
    """
    compressor = zstd.ZstdCompressor(options=_COMPRESSING, zstd_dict=_prefix(prefix))
    compressor.set_pledged_input_size(len(result))
    return compressor.compress(result, zstd.ZstdCompressor.FLUSH_FRAME)


def decompressed_window(frame: Iterator[bytes], prefix: memoryview, result_bytes: int) -> Iterator[bytes]:
    """Yield what a frame gives, in pieces; nothing beyond `result_bytes`.

    Arguments:
        frame: its bytes, in pieces.
        prefix: what it was compressed beside.

    Raises DamagedPatchError where it gives another number of bytes, or none of the right ones.
    """
    decompressor = zstd.ZstdDecompressor(
        zstd_dict=_prefix(prefix), options={zstd.DecompressionParameter.window_log_max: _MAX_WINDOW_LOG}
    )
    missing = result_bytes
    for packed in frame:
        data = packed
        while data or not (decompressor.eof or decompressor.needs_input):
            plain = _decompressed(decompressor, data, missing)
            data = decompressor.unused_data
            missing -= len(plain)
            if plain:
                yield plain
    if missing or not decompressor.eof:
        raise DamagedPatchError(tr("a window of the patch is cut short"))


def _decompressed(decompressor: zstd.ZstdDecompressor, data: bytes, missing: int) -> bytes:
    if decompressor.eof:
        raise DamagedPatchError(tr("a window of the patch ends too early"))
    try:
        # one byte more than wanted tells a window that gives too much
        plain = decompressor.decompress(data, min(_CHUNK_BYTES, missing + 1))
    except zstd.ZstdError as error:
        raise DamagedPatchError(str(error)) from error
    if len(plain) > missing:
        raise DamagedPatchError(tr("a window of the patch gives more than its recipe says"))
    return plain


def _prefix(prefix: memoryview) -> tuple[zstd.ZstdDict, int] | None:
    return zstd.ZstdDict(prefix, is_raw=True).as_prefix if len(prefix) >= MIN_PREFIX_BYTES else None
