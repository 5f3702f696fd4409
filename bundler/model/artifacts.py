"""The kinds' artifacts by the kinds' names in a lock, so that a lock is read by who knows no kind.

Owns which class stands behind a name, one line per kind; what is read of it are `Artifact`s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.model.file_artifact import FileArtifact
from bundler.model.image.artifact import ImageArtifact
from bundler.model.rpm.artifact import decode_rpm_artifact
from bundler.model.runtime_artifact import RuntimeArtifact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.lock import Decoder

DECODERS: Mapping[str, Decoder] = {
    "files": FileArtifact.decode,
    "images": ImageArtifact.decode,
    "rpms": decode_rpm_artifact,
    "runtime": RuntimeArtifact.decode,
}
