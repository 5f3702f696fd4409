"""Reads one item of `files:` into a `FileEntry`. Owns its keys and the rules between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.kinds.files.entry import WHOLE_ARCHIVE, Download, FileEntry, Take
from bundler.kinds.source_reading import SOURCE_KEYS, read_source
from bundler.manifest.fields import Fields
from bundler.model.bundle_path import BundlePath, reserved_problem
from bundler.model.scope import uses_platform
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.kinds.source_reading import WrittenSource
    from bundler.model.platform import Platform
    from bundler.model.scope import Scope
    from bundler.model.source_text import Node, Scalar

KEYS = (
    *SOURCE_KEYS, "path", "platforms", "checksum_path", "member", "members", "mode", "roles",
)  # fmt: skip
WHAT = tr("a files entry")


@dataclass(frozen=True, slots=True)
class _Written:
    """The strings of an entry as they stand; absent ones are None or empty."""

    source: WrittenSource
    path: Scalar | None
    checksum_path: Scalar | None
    member: Scalar | None
    members: tuple[tuple[Scalar, Scalar], ...]

    def scalars(self) -> Iterator[Scalar]:
        """Every string beside those of the source that variables are expanded in."""
        single = (self.path, self.checksum_path, self.member)
        yield from (scalar for scalar in single if scalar is not None)
        for pair in self.members:
            yield from pair

    @property
    def differs_by_platform(self) -> bool:
        """Whether the entry is another one for each platform."""
        declared = self.source.declared
        own = (uses_platform(str(scalar.value), declared) for scalar in self.scalars())
        return self.source.differs_by_platform or any(own)


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
    name = str((written.path or written.members[0][1]).value)
    # of thousands of files each path is there once
    own = next((take.path for take in downloads[0].takes if take.path == name), name)
    return FileEntry(own, node.position, downloads, mode, roles)


def _read_downloads(
    written: _Written, platforms: tuple[Platform, ...], fields: Fields, scope: Scope
) -> tuple[Download, ...]:
    """Return one download per variant of the entry; nothing when any problem was reported."""
    variants: list[tuple[Platform, ...]] = [()]
    if written.differs_by_platform:
        variants = [(platform,) for platform in platforms]
    elif fields.has("platforms"):
        variants = [platforms]
    written.source.check_digests(variants, fields)
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
    source = read_source(fields, scope)
    if fields.has("checksum_path"):
        if not fields.has("checksum_url"):
            fields.error(
                "checksum_path", tr("is where the file of 'checksum_url' lands, and there is no 'checksum_url'")
            )
        if fields.has("member") or fields.has("members"):
            fields.error("checksum_path", tr("is for a download that lands whole, not for a member of it"))
    return _Written(
        source=source,
        path=fields.text("path"),
        checksum_path=fields.text("checksum_path"),
        member=fields.text("member"),
        members=fields.pairs("members"),
    )


def _read_download(written: _Written, platforms: tuple[Platform, ...], scope: Scope) -> Download | None:
    platform = platforms[0] if written.differs_by_platform else None
    before = len(scope.problems.errors)
    source = written.source.expanded(scope, platform)
    takes = tuple(_takes(written, scope, platform))
    checksum_path = _path(written.checksum_path, scope, platform) if written.checksum_path else None
    if len(scope.problems.errors) > before:
        return None
    return Download(platforms, source.urls, takes, source.digest, source.checksum_url, checksum_path)


def _takes(written: _Written, scope: Scope, platform: Platform | None) -> Iterator[Take]:
    if written.path is not None:
        path = _path(written.path, scope, platform)
        member = _member(written.member, scope, platform) if written.member else ""
        if written.member and member.endswith("/"):
            scope.problems.error(written.member.position, tr("'member' is one file; take a directory with 'members'"))
        elif path is not None:
            yield Take(member, path)
    for key, value in written.members:
        member, target = _member(key, scope, platform), scope.expand(value, platform)
        directory = "/" if target.endswith("/") else ""
        path = _path(value, scope, platform, directory=bool(directory))
        if member.endswith("/") != bool(directory):
            text = tr(
                "'members': {member} -> {target}: a directory (with a slash at its end) lands in a directory",
                member=member,
                target=target,
            )
            scope.problems.error(value.position, text)
        elif path is not None:
            yield Take(member, path + directory)


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
        scope.problems.error(
            scalar.position, tr("{text!r} leads out of the archive; write it as `tar -t` prints it", text=text)
        )
    if not parts:
        return WHOLE_ARCHIVE
    return "/".join(parts) + ("/" if text.endswith(("/", "/.")) else "")


def _check_distinct(downloads: list[Download], fields: Fields) -> None:
    owners: dict[str, Download] = {}
    for download in downloads:
        for path in download.paths:
            other = owners.setdefault(BundlePath(path.rstrip("/")).collision_key, download)
            if other is not download:
                text = tr(
                    "{path} would be for {first} and for {second}",
                    path=path,
                    first=other.platforms[0],
                    second=download.platforms[0],
                )
                fields.error(
                    "path" if fields.has("path") else "members", tr("{text}; put ${{arch}} into it", text=text)
                )
                return
    for download in downloads:
        keys = [BundlePath(path.rstrip("/")).collision_key for path in download.paths if not path.endswith("/")]
        if len(set(keys)) < len(keys):
            fields.error("members" if fields.has("members") else "checksum_path", tr("two files have the same path"))
            return
