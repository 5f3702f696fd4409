"""The images of an unpacked bundle: what is read of them, and what is said of files that are not the listed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.archive.bundled_images import PIECE_BYTES, open_images
from bundler.errors import BundleFormatError, ErrorId, IntegrityError
from bundler.model.progress import Unwatched
from tests.integration.placed_images import AMD64, PlacedImages, place_images

if TYPE_CHECKING:
    from pathlib import Path

APP = "docker.io/demo/app:1"
FILLER_BYTES = 2 * PIECE_BYTES + 7


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> PlacedImages:
    return place_images(tmp_path_factory.mktemp("made"), {APP: (AMD64,)}, filler_bytes=FILLER_BYTES)


@pytest.fixture
def root(placed: PlacedImages, tmp_path: Path) -> Path:
    return placed.write_bundle(tmp_path)


def test_a_file_comes_in_pieces_from_any_byte_on(root: Path) -> None:
    with open_images(root) as bundled:
        (image,) = bundled.images
        largest = max(image.files, key=lambda file: file.blob.size)
        data = (root / largest.path).read_bytes()
        assert bundled.read(largest) == data
        for offset in (0, 1, PIECE_BYTES, len(data) - 1, len(data)):
            pieces = [bytes(piece) for piece in bundled.pieces(largest)(offset)]
            assert b"".join(pieces) == data[offset:]
            assert max(map(len, pieces), default=0) <= PIECE_BYTES


@pytest.mark.parametrize(("fault", "got"), [("missing", "no such file"), ("shorter", "other bytes"), ("link", "other")])
def test_a_file_that_is_not_the_listed_one(fault: str, got: str, root: Path) -> None:
    with open_images(root) as bundled:
        top = bundled.images[0].top
        path = root / top.path
        data = path.read_bytes()
        path.unlink()
        if fault == "shorter":
            path.write_bytes(data[:-1])
        elif fault == "link":
            path.symlink_to(root / "bundle.json")
        ((found, error),) = bundled.damaged(bundled.images[0].files, Unwatched()).items()
        assert (found, error.id) == (top.path, ErrorId.BUNDLE_DAMAGED)
        with pytest.raises(IntegrityError, match=f"{top.path} is not the listed one.*{got}"):
            bundled.read(top)


def test_of_a_bundle_without_its_table_the_index_alone_is_read(root: Path) -> None:
    (root / "k8simage/images.tsv").unlink()
    with open_images(root) as bundled:
        assert [str(name) for image in bundled.images for name in image.names] == [APP]
        with pytest.raises(IntegrityError, match="the table of images is not the one that was bundled"):
            bundled.table()


def test_a_bundle_without_images(tmp_path: Path) -> None:
    root = PlacedImages((), {}, (), {}).write_bundle(tmp_path)
    with open_images(root) as bundled:
        assert bundled.images == ()
        with pytest.raises(BundleFormatError, match="this bundle holds no images"):
            bundled.table()
