"""Reads one item of `files:` into a `FileEntry`. Owns its keys and the rules between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.kinds.files.entry import WHOLE_ARCHIVE, Download, FileEntry, Take
from bundler.manifest.fields import Fields
from bundler.manifest.platform_names import read_platform
from bundler.model.bundle_path import BundlePath, reserved_problem
from bundler.model.digest import HEX_LENGTH, Digest
from bundler.model.scope import uses_platform
from bundler.model.source_text import Pairs
from bundler.model.source_url import url_problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from bundler.model.platform import Platform
    from bundler.model.scope import Scope
    from bundler.model.source_text import Node, Scalar

KEYS = (
    "path", "platforms", "url", "urls", "sha256", "sha512", "checksum_url", "checksum_path", "member", "members",
    "mode", "roles",
)  # fmt: skip
WHAT = "a files entry"


@dataclass(frozen=True, slots=True)
class _Written:
    """The strings of an entry as they stand; absent ones are None or empty."""

    path: Scalar | None
    urls: tuple[Scalar, ...]
    checksum_url: Scalar | None
    checksum_path: Scalar | None
    member: Scalar | None
    members: tuple[tuple[Scalar, Scalar], ...]
    digest: Scalar | None
    digests: tuple[tuple[Platform, Scalar], ...]
    algorithm: str
    declared: Collection[str]

    def scalars(self) -> Iterator[Scalar]:
        """Every string that variables are expanded in."""
        yield from self.urls
        single = (self.path, self.checksum_url, self.checksum_path, self.member, self.digest)
        yield from (scalar for scalar in single if scalar is not None)
        for pair in self.members:
            yield from pair

    @property
    def differs_by_platform(self) -> bool:
        """Whether the entry is another one for each platform."""
        return bool(self.digests) or any(uses_platform(str(scalar.value), self.declared) for scalar in self.scalars())


def read_file_entry(node: Node, scope: Scope) -> FileEntry | None:
    """Read one item; report every problem to the scope, return None when there is any error."""
    fields = Fields(node, scope, known=KEYS, what=WHAT)
    written = _read_strings(fields, scope)
    platforms = fields.platforms("platforms")
    mode = fields.mode("mode", default=0o644) if fields.has("mode") else None
    roles = fields.roles("roles")
    if not fields.ok:
        return None
    downloads = _read_downloads(written, platforms, fields, scope)
    if not downloads:
        return None
    name = written.path or written.members[0][1]
    return FileEntry(str(name.value), node.position, downloads, mode, roles)


def _read_downloads(
    written: _Written, platforms: tuple[Platform, ...], fields: Fields, scope: Scope
) -> tuple[Download, ...]:
    """Return one download per variant of the entry; nothing when any problem was reported."""
    variants: list[tuple[Platform, ...]] = [()]
    if written.differs_by_platform:
        variants = [(platform,) for platform in platforms]
    elif fields.has("platforms"):
        variants = [platforms]
    _check_digests(written, variants, fields)
    downloads: list[Download] = []
    for variant in variants:
        download = _read_download(written, variant, scope)
        # one platform's problem is every platform's problem, and is told once
        if download is None or not fields.ok:
            return ()
        downloads.append(download)
    _check_distinct(downloads, fields)
    return tuple(downloads) if fields.ok else ()


def _read_strings(fields: Fields, scope: Scope) -> _Written:
    fields.exclusive("path", "members", required=True)
    fields.exclusive("member", "members")
    fields.exclusive("url", "urls", required=True)
    promise = fields.exclusive("sha256", "sha512", "checksum_url")
    if fields.has("checksum_path"):
        if not fields.has("checksum_url"):
            fields.error("checksum_path", "is where the file of 'checksum_url' lands, and there is no 'checksum_url'")
        if fields.has("member") or fields.has("members"):
            fields.error("checksum_path", "is for a download that lands whole, not for a member of it")
    algorithm = promise if promise in HEX_LENGTH else ""
    by_platform = bool(algorithm) and isinstance(fields.node(algorithm), Pairs)
    single = fields.text("url")
    return _Written(
        path=fields.text("path"),
        urls=(single,) if single else fields.texts("urls"),
        checksum_url=fields.text("checksum_url"),
        checksum_path=fields.text("checksum_path"),
        member=fields.text("member"),
        members=fields.pairs("members"),
        digest=fields.text(algorithm) if algorithm and not by_platform else None,
        digests=tuple(_digests(fields, algorithm, scope)) if by_platform else (),
        algorithm=algorithm,
        declared=scope.variables,
    )


def _digests(fields: Fields, key: str, scope: Scope) -> Iterator[tuple[Platform, Scalar]]:
    for name, digest in fields.pairs(key):
        if platform := read_platform(name, scope, repr(key)):
            yield platform, digest


def _check_digests(written: _Written, variants: list[tuple[Platform, ...]], fields: Fields) -> None:
    if written.digest and len(variants) > 1:
        mapping = f"{{{variants[0][0]}: …, {variants[1][0]}: …}}"
        fields.error(written.algorithm, f"one digest for {len(variants)} platforms; write one for each: {mapping}")
    if written.digests:
        given, wanted = {platform for platform, _ in written.digests}, {platform for (platform,) in variants}
        if given != wanted:
            texts = sorted(map(str, wanted))
            fields.error(written.algorithm, f"has to name the platforms of the entry: {', '.join(texts)}")


def _read_download(written: _Written, platforms: tuple[Platform, ...], scope: Scope) -> Download | None:
    platform = platforms[0] if written.differs_by_platform else None
    before = len(scope.problems.errors)
    urls = tuple(_url(scalar, scope, platform) for scalar in written.urls)
    takes = tuple(_takes(written, scope, platform))
    checksum_url = _url(written.checksum_url, scope, platform) if written.checksum_url else ""
    checksum_path = _path(written.checksum_path, scope, platform) if written.checksum_path else None
    digest = written.digest or next((digest for known, digest in written.digests if known == platform), None)
    pinned = _digest(written.algorithm, digest, scope, platform) if digest else None
    if len(scope.problems.errors) > before:
        return None
    return Download(platforms, urls, takes, pinned, checksum_url, checksum_path)


def _takes(written: _Written, scope: Scope, platform: Platform | None) -> Iterator[Take]:
    if written.path is not None:
        path = _path(written.path, scope, platform)
        member = _member(written.member, scope, platform) if written.member else ""
        if written.member and member.endswith("/"):
            scope.problems.error(written.member.position, "'member' is one file; take a directory with 'members'")
        elif path is not None:
            yield Take(member, path)
    for key, value in written.members:
        member, target = _member(key, scope, platform), scope.expand(value, platform)
        directory = "/" if target.endswith("/") else ""
        path = _path(value, scope, platform, directory=bool(directory))
        if member.endswith("/") != bool(directory):
            text = f"'members': {member} -> {target}: a directory (with a slash at its end) lands in a directory"
            scope.problems.error(value.position, text)
        elif path is not None:
            yield Take(member, path + directory)


def _url(scalar: Scalar, scope: Scope, platform: Platform | None) -> str:
    url = scope.expand(scalar, platform)
    if problem := url_problem(url):
        scope.problems.error(scalar.position, f"{url!r} {problem}")
    return url


def _path(scalar: Scalar, scope: Scope, platform: Platform | None, *, directory: bool = False) -> BundlePath | None:
    """Return the path; a directory's without the slash at its end."""
    text = scope.expand(scalar, platform)
    try:
        path = BundlePath(text.removesuffix("/") if directory else text)
    except ValueError as error:
        scope.problems.error(scalar.position, str(error))
        return None
    if problem := reserved_problem(path):
        scope.problems.error(scalar.position, f"{str(path)!r}: {problem}")
    return path


def _member(scalar: Scalar, scope: Scope, platform: Platform | None) -> str:
    """Return a member's plain name, `./` for the archive's root, a slash at the end for a directory."""
    text = scope.expand(scalar, platform)
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if text.startswith("/") or ".." in parts:
        scope.problems.error(scalar.position, f"{text!r} leads out of the archive; write it as `tar -t` prints it")
    if not parts:
        return WHOLE_ARCHIVE
    return "/".join(parts) + ("/" if text.endswith(("/", "/.")) else "")


def _digest(algorithm: str, scalar: Scalar, scope: Scope, platform: Platform | None) -> Digest | None:
    text = scope.expand(scalar, platform).strip().lower().removeprefix(f"{algorithm}:")
    try:
        return Digest(algorithm, text)
    except ValueError as error:
        scope.problems.error(scalar.position, f"{algorithm!r}: {error}")
        return None


def _check_distinct(downloads: list[Download], fields: Fields) -> None:
    owners: dict[str, Download] = {}
    for download in downloads:
        for path in download.paths:
            other = owners.setdefault(BundlePath(path.rstrip("/")).collision_key, download)
            if other is not download:
                text = f"{path} would be for {other.platforms[0]} and for {download.platforms[0]}"
                fields.error("path" if fields.has("path") else "members", f"{text}; put ${{arch}} into it")
                return
    for download in downloads:
        keys = [BundlePath(path.rstrip("/")).collision_key for path in download.paths if not path.endswith("/")]
        if len(set(keys)) < len(keys):
            fields.error("members" if fields.has("members") else "checksum_path", "two files have the same path")
            return
