"""The builder's own settings, `~/.config/bundler/config.yaml`: what belongs to whoever builds, never to the manifest.

Owns the file's form; what a mirror's text means is known where mirrors are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ManifestError
from bundler.manifest.decoding import MAX_FILE_BYTES
from bundler.manifest.fields import Fields
from bundler.manifest.yaml_tree import read_tree
from bundler.model.scope import Scope
from bundler.model.source_text import Problems, Scalar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SETTINGS_KEYS = ("mirrors",)


@dataclass(frozen=True, slots=True)
class Settings:
    """`mirrors`: upstream mirrors as written, `PREFIX=PREFIX`, the preferred one first."""

    mirrors: tuple[str, ...] = ()


def load_settings(path: Path | None) -> Settings:
    """Read the settings file; no path, no file and an empty file are empty settings.

    Raises ManifestError (SETTINGS_INVALID) with all problems, also when the file cannot be read.
    """
    if path is None:
        return Settings()
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise _invalid(str(path), f"cannot be read: {error.strerror}", ()) from error
    return _read(text, str(path))


def _read(text: bytes, file: str) -> Settings:
    problems = Problems()
    root = read_tree(text, file=file, problems=problems)
    if isinstance(root, Scalar) and not root.text and not problems.errors:
        return Settings()
    mirrors: tuple[str, ...] = ()
    if root is not None:
        fields = Fields(root, Scope({}, (), problems), known=SETTINGS_KEYS, what="the settings")
        mirrors = tuple(scalar.text for scalar in fields.texts("mirrors"))
    if problems.errors:
        raise _invalid(file, "has problems", [str(problem) for problem in sorted(set(problems.errors))])
    return Settings(mirrors)


def _invalid(file: str, what: str, problems: Sequence[str]) -> ManifestError:
    return ManifestError(
        ErrorId.SETTINGS_INVALID, what, where=file, remedy="Mend or remove the settings file.", problems=problems
    )
