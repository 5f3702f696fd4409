"""Options about parts: how large they are, and where they lie; and asking for a medium on a terminal."""

from __future__ import annotations

import os
import re
import select
import sys
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.archive.part_set import PartPlaces
from bundler.cli.options import FILE, option
from bundler.model.part_size import parse_part_size
from bundler.shell_completion import complete_files
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

MAX_ANSWER_BYTES = 4096
MAX_PERCENT = 100
# no part but the archive itself
WHOLE = "whole"
_PERCENT = re.compile(r"(?P<number>[0-9]{1,3})%?")


def _places(_ctx: click.Context, _param: click.Parameter, values: tuple[Path, ...]) -> PartPlaces:
    return PartPlaces(values, _MediumRequest.on_terminal())


def _part_bytes(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    try:
        return None if value is None else parse_part_size(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _size(ctx: click.Context, param: click.Parameter, value: str) -> int | None:
    return None if value == WHOLE else _part_bytes(ctx, param, value)


def _percent(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    match = _PERCENT.fullmatch(value)
    if match is None or not 1 <= int(match["number"]) <= MAX_PERCENT:
        raise click.BadParameter(
            tr("{value!r} is no number from 1% to {max_percent}%", value=value, max_percent=MAX_PERCENT)
        )
    return int(match["number"])


def _bases(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    # what reads archives takes long to load, and other commands have options of these as well
    from bundler.source.open_source import PIPE

    if not all(values):
        raise click.BadParameter(tr("the path is empty"))
    if PIPE in values:
        raise click.BadParameter(tr("each archive is read twice: save what comes on standard input first"))
    return values


split_option = option(
    "--split",
    "part_bytes",
    callback=_part_bytes,
    metavar="SIZE",
    help=tr("Write parts of this size: a number with KiB, MiB or GiB, or fat32, dvd or bd."),
)
parity_option = option(
    "--parity",
    callback=_percent,
    metavar="N%",
    help=tr("Write parity files of so much of the archive's size, for `bundler repair`."),
)
base_option = option(
    "--base",
    "bases",
    variable="BUNDLER_BASES",
    multiple=True,
    metavar="OLD",
    callback=_bases,
    shell_complete=complete_files,
    help=tr("What the site has: a lock, bundle.json, archive or tree. What it holds is left out (repeatable)."),
)
patches_option = option(
    "--no-patches",
    is_flag=True,
    help=tr("With --base: carry what has changed whole. Patches are smaller, and take their time."),
)
size_option = option(
    "--size",
    "part_bytes",
    default="fat32",
    show_default=True,
    callback=_size,
    metavar="SIZE",
    help=tr("Of each part: a number with KiB, MiB or GiB, or fat32, dvd or bd; `whole` for one file."),
)
part_dir_option = option(
    "--part-dir",
    "places",
    type=FILE,
    multiple=True,
    callback=_places,
    help=tr("A further directory that parts of the archive lie in, such as another medium (repeatable)."),
)


class _MediumRequest:
    """See `PartRequest`. Waiting for the answer can be ended: it happens in a thread that others wait for."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)

    @classmethod
    def on_terminal(cls) -> _MediumRequest | None:
        """Return one where a person can see it and answer."""
        streams = (sys.stdin, sys.stderr)
        return cls(sys.stdin.fileno()) if all(stream is not None and stream.isatty() for stream in streams) else None

    def ask(self, name: str) -> bool:
        """Ask, and wait for Enter; False at the end of the input, and once it was stopped."""
        console.remark(
            tr("{name} is not here: mount the medium that holds it, at the same place, and press Enter", name=name)
        )
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLIN)
        waiting.register(self._stop, select.POLLIN)
        if any(descriptor == self._stop for descriptor, _ in waiting.poll()):
            return False
        return bool(os.read(self._descriptor, MAX_ANSWER_BYTES))

    def stop(self) -> None:
        """End what waits for an answer, now and from now on."""
        os.eventfd_write(self._stop, 1)
