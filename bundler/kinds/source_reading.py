"""Reads the keys that say where a download comes from (`url`, `sha256`, …); owns them and the rules between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.kinds.source import Source
from bundler.manifest.platform_names import read_platform
from bundler.manifest.schema import TEXT, TEXT_PAIRS, TEXTS, described, one_of_keys
from bundler.model.digest import HEX_LENGTH, Digest
from bundler.model.scope import uses_platform
from bundler.model.source_text import Pairs
from bundler.model.source_url import url_problem
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from bundler.manifest.fields import Fields
    from bundler.model.json_value import Json
    from bundler.model.platform import Platform
    from bundler.model.scope import Scope
    from bundler.model.source_text import Scalar

SOURCE_KEYS = ("url", "urls", "sha256", "sha512", "checksum_url")
_DIGEST: Mapping[str, Json] = {"anyOf": [TEXT, TEXT_PAIRS]}
SOURCE_PROPERTIES: Mapping[str, Json] = {
    "url": described(TEXT, "http, https, file, or a path relative to the manifest"),
    "urls": described(TEXTS, "the preferred one first"),
    "sha256": described(_DIGEST, "of the download; a mapping gives one for each platform"),
    "sha512": described(_DIGEST, "of the download; a mapping gives one for each platform"),
    "checksum_url": described(TEXT, "where its checksum is published"),
}
SOURCE_RULES = (
    *one_of_keys("url", "urls", required=True),
    *one_of_keys("sha256", "sha512", "checksum_url"),
)


@dataclass(frozen=True, slots=True)
class WrittenSource:
    """The strings as they stand; absent ones are None or empty.

    Arguments:
        digests: one for each platform, where the digest is written as a mapping.
        algorithm: the key of the digest, or "".
        declared: the manifest's own variables.
    """

    urls: tuple[Scalar, ...]
    checksum_url: Scalar | None
    digest: Scalar | None
    digests: tuple[tuple[Platform, Scalar], ...]
    algorithm: str
    declared: Collection[str]

    @property
    def scalars(self) -> tuple[Scalar, ...]:
        """Every string that variables are expanded in."""
        single = (self.checksum_url, self.digest)
        return (*self.urls, *(scalar for scalar in single if scalar is not None))

    @property
    def differs_by_platform(self) -> bool:
        """Whether it is another download for each platform."""
        return bool(self.digests) or any(uses_platform(str(scalar.value), self.declared) for scalar in self.scalars)

    def check_digests(self, variants: Sequence[tuple[Platform, ...]], fields: Fields) -> None:
        """Report digests that do not belong to the variants (each the platforms of one download)."""
        if self.digest and len(variants) > 1:
            mapping = f"{{{variants[0][0]}: …, {variants[1][0]}: …}}"
            fields.error(
                self.algorithm,
                tr(
                    "one digest for {count} platforms; write one for each: {mapping}",
                    count=len(variants),
                    mapping=mapping,
                ),
            )
        if self.digests:
            given, wanted = {platform for platform, _ in self.digests}, {platform for (platform,) in variants}
            if given != wanted:
                texts = sorted(map(str, wanted))
                fields.error(
                    self.algorithm, tr("has to name the platforms of the entry: {texts}", texts=", ".join(texts))
                )

    def expanded(self, scope: Scope, platform: Platform | None) -> Source:
        """Return the download for a platform; problems go to the scope, and then the value is of no use."""
        digest = self.digest or next((digest for known, digest in self.digests if known == platform), None)
        return Source(
            urls=tuple(read_url(scalar, scope, platform) for scalar in self.urls),
            digest=_digest(self.algorithm, digest, scope, platform) if digest else None,
            checksum_url=read_url(self.checksum_url, scope, platform) if self.checksum_url else "",
        )


def read_source(fields: Fields, scope: Scope) -> WrittenSource:
    """Read the keys of `SOURCE_KEYS`; problems go to the scope."""
    fields.exclusive("url", "urls", required=True)
    promise = fields.exclusive("sha256", "sha512", "checksum_url")
    algorithm = promise if promise in HEX_LENGTH else ""
    by_platform = bool(algorithm) and isinstance(fields.node(algorithm), Pairs)
    single = fields.text("url")
    return WrittenSource(
        urls=(single,) if single else fields.texts("urls"),
        checksum_url=fields.text("checksum_url"),
        digest=fields.text(algorithm) if algorithm and not by_platform else None,
        digests=tuple(_digests(fields, algorithm, scope)) if by_platform else (),
        algorithm=algorithm,
        declared=scope.variables,
    )


def read_url(scalar: Scalar, scope: Scope, platform: Platform | None) -> str:
    """Return an expanded URL; one that cannot be is reported."""
    url = scope.expand(scalar, platform)
    if problem := url_problem(url):
        scope.problems.error(scalar.position, f"{url!r} {problem}")
    return url


def _digests(fields: Fields, key: str, scope: Scope) -> Iterator[tuple[Platform, Scalar]]:
    for name, digest in fields.pairs(key):
        if platform := read_platform(name, scope, repr(key)):
            yield platform, digest


def _digest(algorithm: str, scalar: Scalar, scope: Scope, platform: Platform | None) -> Digest | None:
    text = scope.expand(scalar, platform).strip().lower().removeprefix(f"{algorithm}:")
    try:
        return Digest(algorithm, text)
    except ValueError as error:
        scope.problems.error(scalar.position, f"{algorithm!r}: {error}")
        return None
