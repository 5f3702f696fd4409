"""URLs of the manifest: absolute http, https, ftp and file, and paths relative to the manifest. Fetches nothing."""

from __future__ import annotations

import posixpath
from urllib.parse import quote, unquote, urlsplit

from bundler.translation import tr

SCHEMES = ("http", "https", "ftp", "file")


def url_problem(url: str) -> str:
    """Return why a URL cannot stand in a manifest, or "" when it can.

    A text without scheme is a path, relative to the manifest's directory; it may lead out of it.
    """
    if any(character <= " " or character == "\x7f" for character in url) and "://" in url:
        return tr("holds a space or a control character; write %20 for a space")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return tr("is not a URL: {error}", error=error)
    if not parts.scheme:
        return tr("names no file") if parts.netloc or not url.rpartition("/")[2] else ""
    if parts.scheme not in SCHEMES:
        return tr("has the scheme {scheme!r}; known are {schemes}", scheme=parts.scheme, schemes=", ".join(SCHEMES))
    if "@" in parts.netloc:
        return tr("holds credentials; they come from netrc or the environment, never from the manifest")
    if parts.scheme == "file":
        return "" if parts.netloc in ("", "localhost") and parts.path.startswith("/") else tr("has to be file:///PATH")
    return "" if parts.hostname else tr("names no host")


def absolute_url(url: str, base_directory: str) -> str:
    """Return the URL itself, or the file URL of a path relative to a directory."""
    if urlsplit(url).scheme:
        return url
    return "file://" + quote(posixpath.normpath(posixpath.join(base_directory, url)), errors="surrogateescape")


def last_segment(url: str) -> str:
    """Return the file's name at the end of a URL's path, unquoted."""
    path = urlsplit(url).path if urlsplit(url).scheme else url
    return unquote(path).rpartition("/")[2]
