"""An upstream RPM repository as the manifest describes it (docs/design.md, 3; keys as in dnf.conf(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bundler.translation import tr

DEFAULT_PRIORITY = 99
DEFAULT_COST = 1000
# what stands in the URLs of .repo files for the machine that reads them (dnf.conf(5), "VARIABLES", and what CentOS and
# Fedora keep below /etc/dnf/vars); a longer name comes before one that it begins with
CLIENT_VARIABLES = (
    "releasever_major", "releasever_minor", "releasever", "basearch", "arch", "contentdir", "infra", "stream", "uuid",
)  # fmt: skip
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")

# where a repository lies in the bundle when its entry does not say
DEFAULT_PATH = "yum"


@dataclass(frozen=True, slots=True)
class RepoSpec:
    """One repository; exactly one of `baseurls`, `mirrorlist` and `metalink` is given.

    Arguments:
        id: unique within its entry.
        gpgkeys: URLs of the keys that its packages (and with `repo_gpgcheck` its metadata) may be signed with.
        priority: 1 to 99, the lowest wins. cost: among equal packages the cheapest wins.
        include, exclude: shell globs over package names or full names; an exclude wins.
        modules: enabled module streams, `name:stream`.
    """

    id: str
    baseurls: tuple[str, ...] = ()
    mirrorlist: str = ""
    metalink: str = ""
    gpgkeys: tuple[str, ...] = ()
    gpgcheck: bool = True
    repo_gpgcheck: bool = False
    priority: int = DEFAULT_PRIORITY
    cost: int = DEFAULT_COST
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(tr("{id!r} is not a repository id (letters, digits, _ . : -)", id=self.id))
        if sum(map(bool, (self.baseurls, self.mirrorlist, self.metalink))) != 1:
            raise ValueError(tr("repository {id} wants exactly one of baseurl, mirrorlist and metalink", id=self.id))
        if not 1 <= self.priority <= DEFAULT_PRIORITY:
            raise ValueError(
                tr(
                    "priority {priority} of repository {id} is not between 1 and {default_priority}",
                    priority=self.priority,
                    id=self.id,
                    default_priority=DEFAULT_PRIORITY,
                )
            )

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it is, as the manifest says: its base URLs, or the one list that names them."""
        return self.baseurls or (self.mirrorlist or self.metalink,)
