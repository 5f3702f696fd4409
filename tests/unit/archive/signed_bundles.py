"""Small signed bundles for the tests of bundler.archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.archive.beside_archive import checksum_path
from bundler.archive.signing import sign_file, signature_placements
from bundler.archive.writer import write_archive
from bundler.model.progress import Unwatched
from tests.unit.archive.bundles import CONTENTS, sample
from tests.unit.trust.signers import signer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def signed_archive(
    out: Path, *names: str, contents: Mapping[str, bytes] = CONTENTS, name: str = "demo", beside: bool = True
) -> Path:
    """Write an archive as `build --sign` does, signed by these.

    Arguments:
        beside: whether its checksum is signed too.
    """
    made = sample(out.parent / f"{out.name}.store", contents, name=name)
    signers = [signer(who) for who in names]
    files = (*made.bundle.files, *signature_placements(made.bundle.files, signers))
    write_archive(files, store_path=made.store.path, out=out, task=Unwatched())
    if beside:
        path = checksum_path(out)
        sign_file(path, path.read_bytes(), signers)
    return out
