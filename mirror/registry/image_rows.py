"""How the names of images are written down in a packed site: what the writer and the reader agree on. Pure."""

from __future__ import annotations

# one kind of name each, in the order of the fields of a `RepositoryIndex`
TABLES = ("site names", "originals", "last segments")
# keys of blobs: which images they belong to together, and the digest
CONTENTS = "registry/contents"
# of an image: its bundle, the files of top and primary
IMAGE_NUMBERS = 3
# of a repository: contents, first tag, the tag behind the last one
REPOSITORY_NUMBERS = 3
NO_NUMBER = 0xFFFFFFFF
_DIGEST_CHARACTERS = len("sha256:") + 64


def blob_key(contents: int, digest: str) -> bytes | None:
    """Return what a blob is found by; None for a digest that no blob has."""
    if not digest.startswith("sha256:") or len(digest) != _DIGEST_CHARACTERS or not digest.isascii():
        return None
    hexadecimal = digest.removeprefix("sha256:")
    if hexadecimal.strip("0123456789abcdef"):
        return None
    return contents.to_bytes(4, "big") + bytes.fromhex(hexadecimal)
