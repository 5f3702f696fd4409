"""The address of a mirror as an operator gives it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from bundler.translation import tr

_PORTS = {"http": 80, "https": 443, "ftp": 21, "ftps": 21}


@dataclass(frozen=True, slots=True)
class MirrorAddress:
    """Where a bundle is served.

    Arguments:
        scheme: http, https, ftp, or ftps (explicit TLS on the FTP port, RFC 4217).
        host: without brackets.
        base: path of the bundle's root, decoded, without a slash at its end: "" or `/@DIR`.
    """

    scheme: str
    host: str
    port: int
    base: str

    @classmethod
    def parse(cls, text: str) -> MirrorAddress:
        """Parse a URL; ValueError says what is wrong with it, without repeating a password."""
        parts = urlsplit(text)
        if parts.scheme not in _PORTS:
            raise ValueError(
                tr("a mirror's URL begins with one of {ports}", ports=", ".join(f"{scheme}://" for scheme in _PORTS))
            )
        if parts.username is not None or parts.password is not None:
            raise ValueError(tr("the URL holds a name or a password, which others see; use --user, or netrc"))
        if not parts.hostname or parts.query or parts.fragment:
            raise ValueError(tr("{text!r} is not the URL of a bundle's root, such as http://master:8088", text=text))
        base = unquote(parts.path, errors="strict").rstrip("/")
        if any(character < " " for character in base):
            raise ValueError(tr("{text!r} holds a control character", text=text))
        return cls(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], base)

    @property
    def tls(self) -> bool:
        """Whether the connection is to be encrypted."""
        return self.scheme.endswith("s")

    @property
    def is_http(self) -> bool:
        """Whether it speaks HTTP rather than FTP."""
        return self.scheme.startswith("http")

    @property
    def origin(self) -> str:
        """Scheme, host and port as a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    def url_path(self, path: str) -> str:
        """Return the path of a file's URL, percent-encoded."""
        return quote(f"{self.base}/{path}", safe="/@")

    def __str__(self) -> str:
        return f"{self.origin}{quote(self.base, safe='/@')}"
