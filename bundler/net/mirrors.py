"""Upstream mirrors: which places replace a URL or an image's repository, in which order. docs/design.md, 3.

Pure. Manifest and lock keep the canonical names; only requests go elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bundler.errors import ErrorId, SourceError
from bundler.model.reference import Reference
from bundler.net.redact import redact
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SCHEMES = ("http", "https", "ftp")
_HUB_ALIASES = ("index.docker.io", "registry-1.docker.io")


@dataclass(frozen=True, slots=True)
class MirroredUrl:
    """One place to try for a plain URL; `via` is the mirror's prefix without secrets, "" for the original."""

    url: str
    via: str


@dataclass(frozen=True, slots=True)
class MirroredRepository:
    """One place to try for an image's repository; `via` is the mirror's prefix, "" for the original."""

    host: str
    path: str
    via: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Everything under `prefix` is also under `target`: two URLs, or two `host[/path]` of registries."""

    prefix: str
    target: str

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Parse PREFIX=PREFIX; ValueError, with a text for a person, for anything else."""
        if "://" in text:
            # a URL may contain "=" itself: the separator is the one before a scheme
            prefix, *rest = re.split(r"=(?=[a-zA-Z]+://)", text, maxsplit=1)
            if not rest:
                raise ValueError(tr("{text!r} is not PREFIX=PREFIX with a URL on both sides", text=text))
            return cls(_url_prefix(prefix, text), _url_target(prefix, rest[0], text))
        prefix, equals, target = text.partition("=")
        if not equals:
            raise ValueError(tr("{text!r} is not PREFIX=PREFIX", text=text))
        return cls(_repository_prefix(prefix, text), _repository_prefix(target, text))

    @property
    def is_for_urls(self) -> bool:
        """Whether it is about plain URLs, else about images."""
        return "://" in self.prefix

    def rewritten(self, name: str) -> str | None:
        """Return the name under the target, or None when it does not lie under the prefix."""
        if not name.startswith(self.prefix):
            return None
        rest = name[len(self.prefix) :]
        ends_here = self.prefix.endswith("/") or rest == "" or rest[0] == "/" or (self.is_for_urls and rest[0] in "?#")
        return self.target + rest if ends_here else None


@dataclass(frozen=True, slots=True)
class Mirrors:
    """All rules, in the order given; with `only` the originals are never used."""

    rules: tuple[Rule, ...] = ()
    only: bool = False

    @classmethod
    def parse(cls, rules: Iterable[str], *, only: bool = False) -> Mirrors:
        """Parse PREFIX=PREFIX rules; ValueError, with a text for a person, at the first invalid one."""
        return cls(tuple(Rule.parse(text) for text in rules), only)

    def urls(self, url: str) -> tuple[MirroredUrl, ...]:
        """Return the places for a plain URL, mirrors first; SourceError when only mirrors may be used and none matches.

        Local files have no upstream: they are returned as they are.
        """
        if url.startswith("file:"):
            return (MirroredUrl(url, ""),)
        name = _with_lower_case_host(url)
        places = [MirroredUrl(place, redact(rule.target)) for rule, place in self._rewritten(name, for_urls=True)]
        if not self.only:
            places.append(MirroredUrl(url, ""))
        if not places:
            raise _no_rule(redact(url), f"{redact(_origin(url))}/=MIRROR")
        return tuple(places)

    def repositories(self, host: str, path: str) -> tuple[MirroredRepository, ...]:
        """Return the places for an image's repository, mirrors first; SourceError as `urls`."""
        places = []
        for rule, place in self._rewritten(f"{_registry_host(host)}/{path}", for_urls=False):
            mirror_host, _, mirror_path = place.partition("/")
            if mirror_path:
                places.append(MirroredRepository(mirror_host, mirror_path, rule.target))
        if not self.only:
            places.append(MirroredRepository(host, path, ""))
        if not places:
            raise _no_rule(f"{host}/{path}", f"{host}=MIRROR")
        return tuple(places)

    def _rewritten(self, name: str, *, for_urls: bool) -> Sequence[tuple[Rule, str]]:
        found = ((rule, rule.rewritten(name)) for rule in self.rules if rule.is_for_urls == for_urls)
        return [(rule, place) for rule, place in found if place is not None]


def _url_prefix(prefix: str, text: str) -> str:
    scheme, _, rest = prefix.partition("://")
    if scheme.lower() not in _SCHEMES:
        raise ValueError(tr("{text!r}: {prefix!r} is none of http, https and ftp", text=text, prefix=prefix))
    if "@" in rest.partition("/")[0]:
        raise ValueError(tr("a mirror's prefix holds no user info; put credentials into ~/.netrc"))
    return _with_lower_case_host(prefix)


def _url_target(prefix: str, target: str, text: str) -> str:
    if not urlsplit(target).hostname:
        raise ValueError(tr("{text!r}: {target!r} names no host", text=text, target=target))
    # to a target that ends in a query (https://mirror/get?url=) the rest is appended as it is
    if prefix.endswith("/") != target.endswith("/") and not target.endswith("="):
        raise ValueError(tr("{text!r}: either both sides end with a slash or neither does", text=text))
    return _url_prefix(target, text)


def _with_lower_case_host(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    end = next((at for at, character in enumerate(rest) if character in "/?#"), len(rest))
    return f"{scheme.lower()}{separator}{rest[:end].lower()}{rest[end:]}"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _repository_prefix(prefix: str, text: str) -> str:
    host, slash, path = prefix.rstrip("/").partition("/")
    if not ("." in host or ":" in host or host == "localhost"):
        raise ValueError(tr("{text!r}: {prefix!r} does not begin with a registry's host", text=text, prefix=prefix))
    try:
        Reference(host, path or "any", "any")
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from error
    return f"{_registry_host(host)}{slash}{path}"


def _registry_host(host: str) -> str:
    return "docker.io" if host in _HUB_ALIASES else host.lower()


def _no_rule(where: str, example: str) -> SourceError:
    return SourceError(
        ErrorId.SOURCE_REFUSED,
        tr("only mirrors may be asked, and no rule matches"),
        where=where,
        remedy=tr("Add `--mirror {example}`, or leave --mirror-only out.", example=example),
    )
