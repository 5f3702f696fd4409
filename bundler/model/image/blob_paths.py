"""Where a bundle keeps its images: the directory, and in it the place of a blob (image spec 1.1, image-layout.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.model.bundle_path import BundlePath

if TYPE_CHECKING:
    from bundler.model.digest import Digest

IMAGE_DIRECTORY = "k8simage"


def blob_path(digest: Digest) -> BundlePath:
    """Return where a blob lies in the bundle."""
    return BundlePath(f"{IMAGE_DIRECTORY}/blobs/{digest.algorithm}/{digest.hex}")
