"""What the peers and ours are given: images, files and packages of a size, the same on every run.

    python -m scripts.benchmarks.peers.content DIRECTORY BYTES

A program of its own, because the memory of a process that measures counts as its children's first peak.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.measure import MIB, run_once

if TYPE_CHECKING:
    from collections.abc import Sequence

IMAGES, FILES = 12, 12
# the one that is another when one of twelve has changed
CHANGED = 5
SHARE_IMAGES, SHARE_FILES = 0.6, 0.25
PACKAGE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class PeersContent:
    """What lies below a directory.

    - `upstream/files`, `upstream/rpms`: to be served by nginx, the packages with their repodata.
    - `layouts/appN`: an OCI layout for each image; `before`: the changed one as it was.
    - `dirs/appN`: the images as skopeo's `dir:`.
    - `root`: a bundle of the images, unpacked.
    """

    directory: Path

    @property
    def upstream(self) -> Path:
        """What nginx serves."""
        return self.directory / "upstream"

    @property
    def root(self) -> Path:
        """The unpacked bundle of the images."""
        return self.directory / "root"

    @property
    def before(self) -> Path:
        """The layout of the changed image as it was."""
        return self.directory / "before"

    @property
    def dirs(self) -> Path:
        """The images as skopeo's `dir:`."""
        return self.directory / "dirs"

    @property
    def files(self) -> Sequence[Path]:
        """The files, in order."""
        return sorted((self.upstream / "files").iterdir())

    @property
    def rpms(self) -> Sequence[Path]:
        """The packages, in order."""
        return sorted((self.upstream / "rpms").glob("*.rpm"))

    def layout(self, number: int) -> Path:
        """Return the layout of an image, whose name in it is `layout_name(number)`."""
        return self.directory / "layouts" / repository(number)

    def digest(self, number: int) -> str:
        """Return the digest of an image's manifest."""
        return str(json.loads((self.layout(number) / "index.json").read_bytes())["manifests"][0]["digest"])


def repository(number: int) -> str:
    """Return the last segment of an image's name."""
    return f"app{number}"


def layout_name(number: int) -> str:
    """Return an image's full name."""
    return f"docker.io/bench/{repository(number)}:1"


def make_content(directory: Path, size: int) -> PeersContent:
    """Make about so many bytes, in a process of its own."""
    run_once([sys.executable, "-m", "scripts.benchmarks.peers.content", str(directory), str(size)])
    return PeersContent(directory)


def _fill(content: PeersContent, size: int) -> None:
    # heavy ones, loaded in this process alone
    from scripts.benchmarks.rpms import make_packages

    files = content.upstream / "files"
    files.mkdir(parents=True)
    for number in range(FILES):
        data = random.Random(number).randbytes(int(size * SHARE_FILES / FILES))  # noqa: S311 - the same on every run
        (files / f"file{number:02}.bin").write_bytes(data)
    rpms = content.upstream / "rpms"
    count = max(2, int(size * (1 - SHARE_IMAGES - SHARE_FILES)) // PACKAGE_BYTES)
    make_packages(rpms, count, PACKAGE_BYTES)
    subprocess.run(["createrepo_c", "--quiet", "--no-database", str(rpms)], check=True)
    _make_images(content, int(size * SHARE_IMAGES / IMAGES))


def _make_images(content: PeersContent, layer_bytes: int) -> None:
    from tests.integration.images import make_image
    from tests.integration.placed_images import AMD64, place_images

    names = [layout_name(number) for number in range(IMAGES)]
    placed = place_images(content.directory / "made", dict.fromkeys(names, (AMD64,)), filler_bytes=layer_bytes)
    placed.write_bundle(content.root)
    shutil.rmtree(content.directory / "made")
    for number, name in enumerate(names):
        make_image(content.layout(number), name, filler_bytes=layer_bytes)
    make_image(content.before, layout_name(CHANGED), filler_bytes=layer_bytes, filler="before")
    if shutil.which("skopeo") is None:
        return
    content.dirs.mkdir()
    for number, name in enumerate(names):
        source, target = f"oci:{content.layout(number)}:{name}", f"dir:{content.dirs / repository(number)}"
        run_once(["skopeo", "--insecure-policy", "copy", "--quiet", source, target])


def file_digest(path: Path) -> str:
    """Return a file's SHA-256 in hex, without holding it in memory."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(MIB):
            digest.update(piece)
    return digest.hexdigest()


if __name__ == "__main__":
    _fill(PeersContent(Path(sys.argv[1])), int(sys.argv[2]))
