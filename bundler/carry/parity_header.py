"""What a parity index says of its set, beside the sums of blocks: files, code and groups; docs/formats.md, "Parity"."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.archive.part_names import as_parity, part_names
from bundler.carry.erasure_code import CODE_NAME
from bundler.carry.parity_layout import BLOCK_BYTES, BlockMap, ParityLayout, blocks_in
from bundler.model.digest import Blob, Digest
from bundler.model.format_version import require_format
from bundler.model.json_value import dump_canonical, want_count, want_text
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.model.json_value import Json

FORMAT = 1
_NAME = re.compile(r"[^/\x00-\x1f\x7f]{1,255}")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file that parity protects: the archive, or one of its parts."""

    name: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class ParityFile:
    """A file of parity blocks, which begin behind a copy of the index."""

    name: str
    blocks: int


@dataclass(frozen=True, slots=True)
class ParityHeader:
    """A set of data and parity files.

    Arguments:
        name, blob: the archive's own.
        head_bytes: how much room the copy of the index takes in each parity file, in whole blocks.
    """

    name: str
    blob: Blob
    data: tuple[DataFile, ...]
    parity: tuple[ParityFile, ...]
    layout: ParityLayout
    head_bytes: int

    def __post_init__(self) -> None:
        names = [*(file.name for file in self.data), *(file.name for file in self.parity)]
        ours = {self.name, *part_names(self.name, len(self.data))}
        if len({*names}) < len(names) or not all(_NAME.fullmatch(name) for name in (*names, self.name)):
            raise ValueError(tr("its files have no names of their own"))
        if not all(file.name in ours for file in self.data):
            raise ValueError(tr("its data files are not those of the archive"))
        if not all((found := as_parity(file.name)) and found.whole == self.name for file in self.parity):
            raise ValueError(tr("its parity files are not those of the archive"))
        if sum(blocks_in(file.blob.size) for file in self.data) != self.layout.data_blocks:
            raise ValueError(tr("its data files have another number of blocks"))
        if sum(file.blocks for file in self.parity) != self.layout.parity_blocks:
            raise ValueError(tr("its parity files have another number of blocks"))
        if self.head_bytes < BLOCK_BYTES or self.head_bytes % BLOCK_BYTES:
            raise ValueError(tr("the index takes whole blocks"))

    @property
    def data_map(self) -> BlockMap:
        """Where the data blocks lie."""
        return BlockMap(tuple(file.blob.size for file in self.data))

    @property
    def parity_map(self) -> BlockMap:
        """Where the parity blocks lie."""
        return BlockMap(tuple(file.blocks * BLOCK_BYTES for file in self.parity), self.head_bytes)

    def encode(self) -> dict[str, Json]:
        """Return its members, `check` among them: SHA-256 of the others as compact JSON."""
        layout = self.layout
        members: dict[str, Json] = {
            "archive": {"name": self.name, "sha256": self.blob.digest.hex, "size": self.blob.size},
            "block_bytes": BLOCK_BYTES,
            "code": CODE_NAME,
            "data": [{"name": file.name, "sha256": file.blob.digest.hex, "size": file.blob.size} for file in self.data],
            "data_rows": layout.data_rows,
            "format": FORMAT,
            "groups": layout.groups,
            "head_bytes": self.head_bytes,
            "parity": [{"blocks": file.blocks, "name": file.name} for file in self.parity],
            "parity_rows": layout.parity_rows,
        }
        return {**members, "check": _check(members)}


def decode_header(members: Any, where: str) -> ParityHeader:
    """Return the header that an index has; BundleFormatError for a later format, ValueError for one that is damaged."""
    try:
        members = {name: value for name, value in members.items() if name != "sums"}
        if members.pop("check") != _check(members):
            raise ValueError(tr("differs from its check"))
        require_format(members["format"], FORMAT, what=tr("parity"), where=where)
        if members["block_bytes"] != BLOCK_BYTES or members["code"] != CODE_NAME:
            raise ValueError(
                tr("has blocks or a code that this version does not know: {members}", members=members["code"])
            )
        data = tuple(DataFile(want_text(file["name"]), _blob(file)) for file in members["data"])
        parity = tuple(ParityFile(want_text(file["name"]), want_count(file["blocks"])) for file in members["parity"])
        blocks = sum(blocks_in(file.blob.size) for file in data)
        layout = ParityLayout(blocks, *(want_count(members[name]) for name in ("groups", "data_rows", "parity_rows")))
        archive, head_bytes = members["archive"], want_count(members["head_bytes"])
        return ParityHeader(want_text(archive["name"]), _blob(archive), data, parity, layout, head_bytes)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(tr("lacks {error}", error=error)) from error


def _blob(value: Any) -> Blob:
    return Blob(Digest("sha256", want_text(value["sha256"])), want_count(value["size"]))


def _check(members: dict[str, Json]) -> str:
    return hashlib.sha256(dump_canonical(members)).hexdigest()
