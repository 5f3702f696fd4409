"""Web pages in place of what was asked for: a sign-in page of the network, a proxy's refusal, a notice. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from bundler.errors import ErrorId, SourceError
from bundler.translation import tr

_MEDIA_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_ENDINGS = (".html", ".htm", ".xhtml", ".shtml")


def media_type(content_type: str) -> str:
    """Return the media type of a Content-Type field (RFC 9110, 8.3), "" where there is none."""
    return content_type.partition(";")[0].strip().lower()


def is_unexpected_page(answered: str, *names: str) -> bool:
    """Tell whether an answer of this media type is a page although nothing that it is called says so.

    Arguments:
        names: URLs and paths.
    """
    paths = (urlsplit(name).path if "://" in name else name for name in names)
    return answered in _MEDIA_TYPES and not any(path.lower().endswith(_ENDINGS) for path in paths)


def page_error(where: str) -> SourceError:
    """Return the error for a page in place of a file."""
    return SourceError(
        ErrorId.SOURCE_INVALID,
        tr("a web page (text/html) was answered in place of the file"),
        where=where,
        remedy=tr(
            "Open the URL by hand: the network may want a sign-in, a proxy may refuse it, or the file has moved. If "
            "the answer is what you want, write its 'sha256' in the manifest."
        ),
    )
