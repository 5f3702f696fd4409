"""Which files of a set with parity arrived as they were written, to the block, and whether they can be mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.archive.part_set import ByteRange
from bundler.carry.block_scan import scan_blocks
from bundler.carry.part_check import PartFinding, PartsReport
from bundler.carry.repair_plan import repair_plan
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.carry.block_scan import ScannedFile
    from bundler.carry.carried_set import CarriedSet
    from bundler.carry.parity_header import ParityHeader
    from bundler.carry.parity_index import ParityIndex
    from bundler.model.progress import Task

# a person is told about so many, and of how many more there are
MAX_RANGES = 4


def check_blocks(found: CarriedSet, index: ParityIndex, task: Task) -> PartsReport:
    """Read all files of a set. Raises StorageError.

    Arguments:
        task: advanced by the bytes that were read; not finished here.
    """
    files = scan_blocks(index, found.locate, task)
    spans = _spans(index.header)
    findings = tuple(_finding(file, index.header, spans.get(file.name)) for file in files)
    return PartsReport(index.header.name, findings, mendable=not repair_plan(files, index.header.layout).lost)


def _spans(header: ParityHeader) -> dict[str, ByteRange]:
    spans, begin = {}, 0
    for file in header.data:
        spans[file.name] = ByteRange(begin, begin + file.blob.size)
        begin += file.blob.size
    return spans


def _finding(file: ScannedFile, header: ParityHeader, span: ByteRange | None) -> PartFinding:
    if file.path is None:
        return PartFinding(file.name, "missing", span)
    if not file.damaged:
        return PartFinding(file.name, "intact", span)
    ranges = file.bad_ranges(header.head_bytes if span is None else 0)
    shown = ", ".join(map(str, ranges[:MAX_RANGES]))
    more = tr(" and {count} more", count=len(ranges) - MAX_RANGES) if len(ranges) > MAX_RANGES else ""
    what = (
        tr("bad: {shown}{more}", shown=shown, more=more)
        if ranges
        else tr("has another length, or a damaged copy of the index")
    )
    return PartFinding(file.name, "damaged", span, what)
