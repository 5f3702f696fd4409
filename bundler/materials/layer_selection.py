"""Which members of a layer are read, and what the layer takes away of those below it (image spec, layer.md)."""

from __future__ import annotations

from dataclasses import dataclass, field

from bundler.materials.databases import LOG_PATHS, MAX_DATABASE_BYTES, leads_to_telling, tells
from bundler.upstream_archive.selection import Selection
from bundler.upstream_archive.stream import unsafe

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"


@dataclass(slots=True)
class LayerSelection(Selection):
    """Wants the files that tell of packages, and keeps what else of a layer concerns them.

    Arguments:
        hidden: paths that are gone from the layers below, with all that lies beneath them.
        emptied: directories of which only what this layer has is left.
        unread: path -> why it is not read, although it is there.
    """

    hidden: set[str] = field(default_factory=set)
    emptied: set[str] = field(default_factory=set)
    unread: dict[str, str] = field(default_factory=dict)
    _count: int = 0

    def wants(self, raw: str, kind: str, size: int, target: str = "") -> str:
        """Return a member's plain name when it is to be read, else ""; of the others nothing is odd enough to refuse.

        Raises SourceError for a layer with far too many members.
        """
        del target
        self._count += 1
        if self._count > self.limits.members:
            raise unsafe(f"has more than {self.limits.members:,} members", self.where)
        parts = [part for part in raw.split("/") if part not in ("", ".")]
        if not parts or ".." in parts:
            return ""
        directory, name = "/".join(parts[:-1]), "/".join(parts)
        if parts[-1].startswith(_WHITEOUT):
            self._take_away(directory, parts[-1])
            return ""
        if kind == "directory":
            return ""
        if leads_to_telling(name):
            # a file or a link in the place of a directory
            self.hidden.add(name)
            return ""
        return name if tells(name) and self._is_readable(name, kind, size) else ""

    def _take_away(self, directory: str, mark: str) -> None:
        if mark == _OPAQUE:
            if leads_to_telling(directory):
                self.emptied.add(directory)
            return
        path = "/".join(filter(None, (directory, mark.removeprefix(_WHITEOUT))))
        if leads_to_telling(path) or tells(path):
            self.hidden.add(path)

    def _is_readable(self, name: str, kind: str, size: int) -> bool:
        self.hidden.add(name)
        self.unread.pop(name, None)
        if kind != "file":
            self.unread[name] = f"is {'a link' if kind == 'link' else kind}, which is not followed"
        elif size > MAX_DATABASE_BYTES:
            self.unread[name] = f"has {size:,} bytes; at most {MAX_DATABASE_BYTES:,} are read"
        elif name in LOG_PATHS:
            if size:
                self.unread[name] = "holds changes that its database has not taken over"
        else:
            return True
        return False
