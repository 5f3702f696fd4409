"""What is timed of signatures: one build with or without them, or one look at an archive, in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from bundler.archive.beside_archive import checksum_path
from bundler.archive.signing import sign_file, signature_placements
from bundler.archive.verify import verify_archive
from bundler.archive.verify_report import require_intact
from bundler.archive.writer import write_archive
from bundler.model.progress import Unwatched
from bundler.store.verified_files import VerifiedFiles
from bundler.trust.admission import ANYTHING, Admission
from bundler.trust.key_pair import write_key_pair
from bundler.trust.signing_key import SigningKey, read_signing_key
from bundler.trust.trusted_keys import TrustedKeys
from scripts.benchmarks.once import bundle_of

NAMES = ("alice", "bob")


def signers(directory: Path) -> list[SigningKey]:
    """Return the keys in a directory, made the first time."""
    for name in NAMES:
        if not (directory / f"{name}.key").exists():
            write_key_pair(directory / name)
    return [read_signing_key(directory / f"{name}.key") for name in NAMES]


def build(store: Path, out: Path, keys: list[SigningKey]) -> None:
    """Write a bundle of every entry of the store, signed by these."""
    files = bundle_of(store).files
    write_archive(
        (*files, *signature_placements(files, keys)),
        store_path=lambda blob: store / blob.digest.hex,
        out=out,
        task=Unwatched(),
        checksums=VerifiedFiles(store.with_name("witness")),
    )
    path = checksum_path(out)
    sign_file(path, path.read_bytes(), keys)


def main(action: str, store: Path, archive: Path) -> None:
    """Do one of them; keys lie beside the store."""
    asked = signers(store.parent) if action in ("sign", "ask") else []
    if action in ("build", "sign"):
        build(store, archive, asked)
        return
    trusted = TrustedKeys(tuple(key.key for key in asked), len(asked)) if asked else None
    admission = Admission(trusted) if trusted else ANYTHING
    require_intact(verify_archive(archive, Unwatched(), admission=admission))


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
