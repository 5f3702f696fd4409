"""The kinds of content there are, by their name in manifest and lock. A new kind is one more line here.

What a kind does to entries that it has read is loaded by the method that does it: checking a manifest, or building a
bundle of images, loads nothing that reads archives or RPM metadata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.kinds.files.kind import FilesKind
from bundler.kinds.images.kind import ImagesKind
from bundler.kinds.rpms.kind import RpmsKind
from bundler.kinds.runtime.kind import RuntimeKind

if TYPE_CHECKING:
    from bundler.kinds.base import AnyKind, KindTable

_ALL: tuple[AnyKind, ...] = (FilesKind(), ImagesKind(), RpmsKind(), RuntimeKind())
KINDS: KindTable = {kind.name: kind for kind in _ALL}
