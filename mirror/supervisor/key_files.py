"""Read what only the supervisor may read: certificate, key, users, whom this host trusts; as bytes for the workers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ServeError
from bundler.permissions import require_private, require_protected
from bundler.translation import tr
from mirror.worker.control import KeyFiles
from mirror.worker.users import MAX_USERS_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mirror.settings import Settings

MAX_PEM_BYTES = 1024 * 1024


def read_key_files(settings: Settings) -> KeyFiles:
    """Return the content of the files that the settings name. Raises ServeError (SERVE_TLS_INVALID, …USERS_INVALID).

    Raises StorageError (PERMISSIONS_TOO_OPEN) where others could have written them, or read the key; IntegrityError
    (KEY_INVALID) and SiteError (TRUST_INVALID) where --verify asks for signatures, and nobody can tell whose.
    """
    users = certificate = key = None
    if settings.users is not None:
        users = _read(settings.users, MAX_USERS_BYTES, ErrorId.SERVE_USERS_INVALID, "--users")
    if settings.tls is not None:
        certificate = _read(settings.tls.certificate, MAX_PEM_BYTES, ErrorId.SERVE_TLS_INVALID, "--tls-cert")
        key = _read(settings.tls.key, MAX_PEM_BYTES, ErrorId.SERVE_TLS_INVALID, "--tls-key", require_private)
    return KeyFiles(users=users, certificate=certificate, key=key, trusted=_trusted(settings))


def _trusted(settings: Settings) -> bytes | None:
    if not settings.verify:
        return None
    from bundler.trust.trusted_directory import read_trusted, trusting_files  # few ask for it

    trusted = trusting_files(settings.keys) if settings.keys else read_trusted()
    return trusted.encode()


def _read(
    path: Path,
    max_bytes: int,
    error_id: ErrorId,
    flag: str,
    require: Callable[[Path, os.stat_result], None] = require_protected,
) -> bytes:
    try:
        # a fifo or a device would never end
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            require(path, os.fstat(stream.fileno()))
            data = stream.read(max_bytes + 1) or b""
    except OSError as error:
        raise ServeError(
            error_id,
            tr("it cannot be read: {reason}", reason=error.strerror),
            where=str(path),
            remedy=tr("Name a file that the user who starts the mirror may read with {flag}.", flag=flag),
        ) from error
    if len(data) > max_bytes:
        raise ServeError(
            error_id,
            tr("it is larger than {max_bytes} bytes", max_bytes=max_bytes),
            where=str(path),
            remedy=tr("Name the right file with {flag}.", flag=flag),
        )
    return data
