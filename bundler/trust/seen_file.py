"""/var/lib/kubeedge-bundler/seen.json: which releases were brought in on this host. Root alone writes it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.directory_walk import make_directories
from bundler.durable import storage_errors
from bundler.model.json_value import unreadable_words
from bundler.partial_file import replacing
from bundler.translation import tr
from bundler.trust.seen_releases import SeenReleases, decode_seen, encode_seen
from bundler.trust.trust_policy import invalid_trust

if TYPE_CHECKING:
    from bundler.trust.seen_releases import SeenBundle

SEEN_FILE = Path("/var/lib/kubeedge-bundler/seen.json")
MAX_SEEN_BYTES = 16 * 1024 * 1024


def read_seen(path: Path = SEEN_FILE) -> SeenReleases | None:
    """Return what was seen; None where nothing is written down. Raises SiteError (TRUST_INVALID), StorageError."""
    with storage_errors(path):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise invalid_trust(str(path), tr("may be written to by others than its owner"))
            data = stream.read(MAX_SEEN_BYTES) or b""
    try:
        return decode_seen(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise invalid_trust(
            str(path), tr("cannot be read: {unreadable_words}", unreadable_words=unreadable_words(error))
        ) from error


def remember_release(name: str, bundle: SeenBundle, path: Path = SEEN_FILE) -> bool:
    """Write down that a bundle was brought in, where it is the newest of its name; tell whether it was.

    Who is not root writes nothing. Raises SiteError (TRUST_INVALID), StorageError.
    """
    if os.geteuid() != 0:
        return False
    with storage_errors(path):
        make_directories(path.parent)
    # runs that end at the same time wait for each other here
    with replacing(path) as put:
        seen = read_seen(path) or SeenReleases()
        is_new = seen.is_new(name, bundle.release)
        if is_new:
            put(encode_seen(seen.with_bundle(name, bundle)))
    return is_new
