"""What an edge does with what it was given: site.yaml, the registry's authority and login in their places, the token
in a file that lives as long as the joining. Nothing of it is half there: each file is replaced in one step.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, ManifestError, SiteError
from bundler.manifest.yaml_text import yaml_text
from bundler.model.json_value import dump_pretty
from bundler.site.config.reading import host_named, read_site
from bundler.site.registry_files import AUTHORITY, AUTHORITY_KEY, PULL_LOGIN
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bundler.host.interface import Host
    from bundler.site.config.model import SiteConfig
    from bundler.site.invitation.join_message import JoinAnswer

EDGE_CONFIG = "/etc/bundler/site.yaml"
# in memory wherever systemd is: tmpfs
JOIN_PLACE = "/run/kubeedge-bundler"
_TOKEN = f"{JOIN_PLACE}/join-token"
_LOCK = f"{JOIN_PLACE}/join.lock"
_HEAD = "# Written by `bundler site join` with what the master gave; another join writes it anew.\n"
_PRIVATE, _PUBLIC, _DIRECTORY = 0o600, 0o644, 0o700


@dataclass(frozen=True, slots=True)
class JoinedSite:
    """What was read of an answer: the site, and its file's content."""

    config: SiteConfig
    content: bytes


@contextmanager
def joining_alone(host: Host) -> Iterator[None]:
    """Let nobody else join on this host meanwhile, and leave no token behind, not even an earlier time's.

    Raises SiteError (SITE_BUSY, SITE_UNMET on the master), StorageError.
    """
    if host.exists(AUTHORITY_KEY):
        raise SiteError(
            ErrorId.SITE_UNMET,
            tr("is the key of the site's authority: this host is the master, and no edge"),
            where=AUTHORITY_KEY,
            remedy=tr("Run it on the edge."),
            step="",
        )
    host.make_directory(JOIN_PLACE, _DIRECTORY)
    with host.locked(_LOCK) as alone:
        if not alone:
            raise SiteError(
                ErrorId.SITE_BUSY,
                tr("another `bundler site join` runs on this host"),
                remedy=tr("Wait until it has ended."),
                step="",
            )
        host.remove(_TOKEN)
        try:
            yield
        finally:
            host.remove(_TOKEN)


def joined_site(answer: JoinAnswer, *, root: str = "") -> JoinedSite:
    """Return the site of an answer.

    Arguments:
        root: where bundles lie on this host; "" for what the site says.

    Raises SiteError (SITE_JOIN_BROKEN).
    """
    value: dict[str, Any] = dict(answer.site)
    if root:
        value["root"] = root
    content = _HEAD.encode() + yaml_text(value)
    try:
        config = read_site(content, file=tr("the master's answer"))
    except ManifestError as error:
        raise _unusable(tr("the site that it describes is none"), *error.problems) from error
    found = host_named(config, answer.host)
    if found is None or found.role != "edge":
        raise _unusable(tr("the site that it describes has no edge host {host!r}", host=answer.host))
    return JoinedSite(config, content)


def settle(host: Host, answer: JoinAnswer, site: JoinedSite, say: Callable[[str], None]) -> str:
    """Put everything in its place, and return the path of the token's file. Raises StorageError."""
    earlier = host.read(EDGE_CONFIG)
    if earlier is not None and earlier != site.content:
        host.write(f"{EDGE_CONFIG}.earlier", earlier, _PRIVATE)
        say(
            tr("{edge_config} is replaced; what was there lies beside it as site.yaml.earlier", edge_config=EDGE_CONFIG)
        )
    if answer.registry_ca:
        _replace(host, AUTHORITY, answer.registry_ca.encode(), _PUBLIC)
    if answer.docker_config is not None:
        _replace(host, PULL_LOGIN, dump_pretty(answer.docker_config), _PRIVATE)
    # last: it is what the steps begin with
    _replace(host, EDGE_CONFIG, site.content, _PRIVATE)
    host.write(_TOKEN, answer.token.encode(), _PRIVATE)
    return _TOKEN


def _replace(host: Host, path: str, content: bytes, mode: int) -> None:
    status = host.status(path)
    if status is None or status.mode != mode or host.read(path) != content:
        host.write(path, content, mode)


def _unusable(what: str, *problems: str) -> SiteError:
    return SiteError(
        ErrorId.SITE_JOIN_BROKEN,
        tr("the master's answer cannot be used: {what}", what=what),
        remedy=tr("Take the same bundle on both hosts, then ask for a new code on the master."),
        problems=problems,
        step="",
    )
