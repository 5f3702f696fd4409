"""Content-Type by name. A fixed table: what the serving host has installed must not change an answer. Pure."""

from __future__ import annotations

OCTETS = "application/octet-stream"
# text as text, so that a browser shows it; everything compressed stays compressed (never a Content-Encoding)
_BY_SUFFIX = {
    "asc": "text/plain; charset=utf-8",
    "bz2": "application/x-bzip2",
    "conf": "text/plain; charset=utf-8",
    "gz": "application/gzip",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "md": "text/plain; charset=utf-8",
    "png": "image/png",
    "repo": "text/plain; charset=utf-8",
    "rpm": "application/x-rpm",
    "service": "text/plain; charset=utf-8",
    "sh": "text/plain; charset=utf-8",
    "svg": "image/svg+xml",
    "tar": "application/x-tar",
    "tgz": "application/gzip",
    "tmpl": "text/plain; charset=utf-8",
    "tsv": "text/plain; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "xml": "text/xml",
    "xz": "application/x-xz",
    "yaml": "text/plain; charset=utf-8",
    "yml": "text/plain; charset=utf-8",
    "zip": "application/zip",
    "zst": "application/zstd",
}
_BY_NAME = {"SHA256SUMS": "text/plain; charset=utf-8", "LICENSE": "text/plain; charset=utf-8"}


def media_type(name: str) -> str:
    """Return the media type of a file by the last segment of its path."""
    base = name.rpartition("/")[2]
    if base in _BY_NAME or base.startswith("RPM-GPG-KEY"):
        return _BY_NAME.get(base, "text/plain; charset=utf-8")
    return _BY_SUFFIX.get(base.rpartition(".")[2].lower(), OCTETS) if "." in base else OCTETS
