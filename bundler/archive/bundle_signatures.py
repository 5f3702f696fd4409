"""The signatures of a bundle that lie in its tree, and whether they let it in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bundler.archive.open_beneath import open_directory, open_file, open_root
from bundler.archive.tree import tree_index
from bundler.directory_walk import names_in
from bundler.durable import storage_errors
from bundler.model.bundle import SUMS_PATH, is_signature
from bundler.model.signature_name import MAX_SIGNATURE_BYTES, MAX_SIGNATURES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bundler.archive.checked_index import CheckedIndex
    from bundler.trust.admission import Admission
    from bundler.trust.signature_verdict import SignatureVerdict


def tree_signatures(root: int, directory: str = "") -> dict[str, bytes]:
    """Return the signatures in a tree by their paths; links, what is too large and what cannot be read are none.

    Arguments:
        root: descriptor of the tree, or of the directory that holds it.
        directory: the tree's path in it.

    Raises OSError.
    """
    found: dict[str, bytes] = {}
    # opened anew: a descriptor that was handed to other processes has one place in the list for all of them
    tree = open_directory(root, directory or ".")
    try:
        for path in sorted(filter(is_signature, names_in(tree)))[:MAX_SIGNATURES]:
            try:
                descriptor = open_file(tree, path)
            except OSError:
                # it is gone, or not for this user to read: who needs it is told that it is not there
                continue
            if descriptor is None:
                continue
            with os.fdopen(descriptor, "rb") as stream:
                data = stream.read(MAX_SIGNATURE_BYTES + 1)
            if len(data) <= MAX_SIGNATURE_BYTES:
                found[path] = data
    finally:
        os.close(tree)
    return found


def tree_verdict(root: Path, admission: Admission) -> SignatureVerdict:
    """Return whose signatures of an unpacked bundle hold, once they are enough.

    Raises as `bundle_verdict` and `tree_index` do.
    """
    checked = tree_index(root)
    with storage_errors(root):
        descriptor = open_root(root)
        try:
            signatures = tree_signatures(descriptor)
        finally:
            os.close(descriptor)
    return bundle_verdict(checked, signatures, admission)


def bundle_verdict(checked: CheckedIndex, signatures: Mapping[str, bytes], admission: Admission) -> SignatureVerdict:
    """Return whose signatures of a bundle hold, once they are enough.

    What they have to be signatures of is the SHA256SUMS that follows from the index at hand: where they hold, the index
    is the signed one, whatever lies under that name.

    Raises IntegrityError (SIGNATURE_MISSING, SIGNATURE_UNTRUSTED).
    """
    digest = checked.listed[SUMS_PATH].blob.digest
    return admission.verdict(digest, signatures, signed=SUMS_PATH, where=checked.where)
