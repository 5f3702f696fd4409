"""The user's own settings, `~/.config/bundler/config.yaml`: for the person who builds, never part of a manifest.

Owns the file's form; its texts are interpreted where they are used.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ManifestError
from bundler.manifest.decoding import MAX_FILE_BYTES
from bundler.manifest.fields import Fields
from bundler.manifest.yaml_tree import read_tree
from bundler.model.scope import Scope
from bundler.model.source_text import Problems, Scalar
from bundler.permissions import require_protected
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SETTINGS_KEYS = ("mirrors", "client_certs")


@dataclass(frozen=True, slots=True)
class UserSettings:
    """The file's content, as written.

    Arguments:
        mirrors: upstream mirrors, `PREFIX=PREFIX`, the preferred one first.
        client_certs: client certificates, `PREFIX=CERT.pem[,KEY.pem]`, paths relative to the file's directory.
    """

    mirrors: tuple[str, ...] = ()
    client_certs: tuple[str, ...] = ()


def load_settings(path: Path | None) -> UserSettings:
    """Read the settings file; no path, no file and an empty file are empty settings.

    Raises ManifestError (SETTINGS_INVALID) with all problems, also when the file cannot be read; StorageError when
    everybody may write to it.
    """
    if path is None:
        return UserSettings()
    try:
        with path.open("rb") as stream:
            require_protected(path, os.fstat(stream.fileno()))
            text = stream.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return UserSettings()
    except OSError as error:
        raise settings_invalid(str(path), tr("cannot be read: {reason}", reason=error.strerror), ()) from error
    return _read(text, str(path))


def _read(text: bytes, file: str) -> UserSettings:
    problems = Problems()
    root = read_tree(text, file=file, problems=problems)
    if isinstance(root, Scalar) and not root.text and not problems.errors:
        return UserSettings()
    settings = UserSettings()
    if root is not None:
        fields = Fields(root, Scope({}, (), problems), known=SETTINGS_KEYS, what=tr("the settings"))
        texts = {key: tuple(scalar.text for scalar in fields.texts(key)) for key in SETTINGS_KEYS}
        settings = UserSettings(**texts)
    if problems.errors:
        raise settings_invalid(file, tr("has problems"), [str(problem) for problem in sorted(set(problems.errors))])
    return settings


def settings_invalid(file: str, what: str, problems: Sequence[str]) -> ManifestError:
    """Return the error for a settings file; also for problems that are found only where a text of it is used."""
    return ManifestError(
        ErrorId.SETTINGS_INVALID, what, where=file, remedy=tr("Mend or remove the settings file."), problems=problems
    )
