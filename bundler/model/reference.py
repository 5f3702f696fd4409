"""Image references in Docker's grammar (distribution/reference, "reference.go").

Owns parsing and the full and familiar forms; refuses to guess a missing tag.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bundler.model.digest import Digest
from bundler.translation import tr

DEFAULT_HOST = "docker.io"
MAX_NAME_CHARACTERS = 255
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_DOMAIN_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = re.compile(rf"(?:{_DOMAIN_LABEL}(?:\.{_DOMAIN_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """`host/path[:tag][@digest]` with host and the hub's `library/` spelled out; at least one of tag and digest."""

    host: str
    path: str
    tag: str = ""
    digest: Digest | None = None

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.host):
            raise ValueError(tr("{host!r} is not a registry host", host=self.host))
        if not _PATH.fullmatch(self.path):
            raise ValueError(
                tr("{path!r} is not a repository path (lower case, words joined by . _ -)", path=self.path)
            )
        if len(self.path) > MAX_NAME_CHARACTERS:
            raise ValueError(
                tr(
                    "a repository path holds at most {max_name_characters} characters",
                    max_name_characters=MAX_NAME_CHARACTERS,
                )
            )
        if self.tag and not _TAG.fullmatch(self.tag):
            raise ValueError(tr("{tag!r} is not a tag (at most 128 of letters, digits, _ . -)", tag=self.tag))
        if not self.tag and self.digest is None:
            raise ValueError(tr("{host}/{path} has neither tag nor digest", host=self.host, path=self.path))

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Parse a reference as a person writes it (`pause:3.5`, `quay.io/coreos/flannel:v0.14.0@sha256:…`)."""
        scheme, separator, rest = text.partition("://")
        if separator:
            raise ValueError(
                tr(
                    "{text!r} begins with {scheme}://, which is no part of a reference; write {rest!r}",
                    text=text,
                    scheme=scheme,
                    rest=rest,
                )
            )
        rest, at, digest_text = text.partition("@")
        digest = Digest.parse(digest_text) if at else None
        head, slash, last = rest.rpartition("/")
        last, colon, tag = last.partition(":")
        if colon and not tag:
            raise ValueError(tr("{text!r} ends with an empty tag", text=text))
        name = f"{head}{slash}{last}"
        first, slash, remainder = name.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            host, path = first, remainder
        else:
            host, path = DEFAULT_HOST, name
        if host == "index.docker.io":
            host = DEFAULT_HOST
        if host == DEFAULT_HOST and "/" not in path:
            path = f"library/{path}"
        if name and not tag and digest is None:
            wanted = tr(
                "write {text}:TAG or {text}@sha256:DIGEST (`latest` is not assumed: what it names changes)", text=text
            )
            raise ValueError(tr("{text!r} has neither tag nor digest; {wanted}", text=text, wanted=wanted))
        return cls(host, path, tag, digest)

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    @property
    def name(self) -> str:
        """`host/path`, without tag and digest."""
        return f"{self.host}/{self.path}"

    @property
    def tagged(self) -> str:
        """`host/path:tag`, or "" for a reference by digest alone."""
        return f"{self.name}:{self.tag}" if self.tag else ""


def docker_host(host: str, *, plain_http: bool) -> str:
    """Return a registry's `HOST[:PORT]` as Docker takes it for one: with its port where it is a bare word.

    The first segment of a name is a host if it has a dot or a colon or is `localhost`, and a namespace of docker.io
    otherwise (distribution's reference/normalize.go, `splitDockerDomain`): an image pushed as `master/library/pause`
    would go there.
    """
    if "." in host or ":" in host or host == "localhost":
        return host
    return f"{host}:{80 if plain_http else 443}"
