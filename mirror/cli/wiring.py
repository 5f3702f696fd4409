"""Where the real implementations are chosen and put together for the commands that look at a mirror from outside."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.archive.bundle_root import CURRENT, opened_root
from bundler.archive.kept_subset import tree_subset
from bundler.archive.tree import tree_index
from bundler.durable import storage_errors
from bundler.translation import tr
from mirror.probe.access import login_for, trusting
from mirror.probe.expected import Baseline, locked_baseline
from mirror.probe.interface import RegistryPlace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mirror.probe.interface import MirrorClient
    from mirror.probe.mirror_address import MirrorAddress


def baseline_of(lock: Path | None, root: Path | None) -> Baseline:
    """Read what mirrors are held to. Raises BundlerError; a usage error when two things are named."""
    if lock is not None and root is not None:
        raise click.UsageError(tr("--lock and --root exclude each other"))
    if lock is not None:
        with storage_errors(lock):
            data = lock.read_bytes()
        return locked_baseline(data, str(lock))
    if root is None:
        return Baseline()
    # a root of several bundles is held to the one that is served at its top
    with opened_root(root, change=False) as opened:
        current = opened.current()
    tree = root / (current or CURRENT)
    contents = tree_index(tree)
    return Baseline(contents=contents, subset=tree_subset(tree, contents))


@contextmanager
def open_registry(
    address: MirrorAddress,
    own: MirrorAddress | None,
    user: str | None,
    ca_file: Path | None,
    environment: Mapping[str, str],
    *,
    connections: int,
) -> Iterator[RegistryPlace | None]:
    """Give a mirror's registry, or None where it has none: it is on the HTTP port of a root, unless it has its own.

    Arguments:
        own: where the operator says that it is. Raises SourceError.
    """  # fmt: skip
    place = own or (address if address.is_http and not address.base else None)
    if place is None:
        yield None
        return
    from mirror.probe.http_client import HttpMirrorClient

    login = login_for(place.host, user, environment)
    client = HttpMirrorClient(place, login, trusting(ca_file), connections=connections, log=console.request_log())
    try:
        yield RegistryPlace(str(place), client, certain=own is not None)
    finally:
        client.close()


@contextmanager
def open_client(
    address: MirrorAddress, user: str | None, ca_file: Path | None, environment: Mapping[str, str], *, connections: int
) -> Iterator[MirrorClient]:
    """Give a client of one mirror, and close its connections at the end. Raises SourceError."""
    # every other command of the program does without their libraries, and a mirror's processes without their memory
    from mirror.probe.ftp_client import FtpMirrorClient
    from mirror.probe.http_client import HttpMirrorClient

    login = login_for(address.host, user, environment)
    context, log = trusting(ca_file), console.request_log()
    client: MirrorClient = (
        HttpMirrorClient(address, login, context, connections=connections, log=log)
        if address.is_http
        else FtpMirrorClient(address, login, context, log=log)
    )
    try:
        yield client
    finally:
        client.close()
