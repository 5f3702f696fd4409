"""Our yum repository: a file of ours beside the vendor's, off unless it is asked for by name; nothing else is touched.

The guide moves every other repository's file away (and deletes them on edges) and switches signatures off.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from bundler.host.file_changes import WriteFile
from bundler.model.client_config import SECTION, repo_file
from bundler.site.packages import REPOSITORY, nevra_of, on_ours_alone, package_manager
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change
    from bundler.model.client_config import RepoSnippet

REPOSITORY_FILE = f"/etc/yum.repos.d/{REPOSITORY}.repo"
# what is activated next has other packages at the same place
_SETTINGS = ("metadata_expire=0", "skip_if_unavailable=0")
_REMARKS = ("Made by `bundler site`; off unless it is asked for: --enablerepo=bundler-site*",)
_MAX_LINES = 3


class LocalRepository(Step):
    """The guide's local.repo, http.repo and dcoker.repo."""

    name = "repo"
    title = tr("the bundle's packages as a yum repository beside the vendor's")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Say why no repository is set up where none can be; packages may be there already."""
        if not package_manager(at.host):
            what = tr("this host has neither yum nor dnf: what the steps need has to be installed already")
            return (StepFinding("no-package-manager", what, weight="note"),)
        if not repositories_for(at):
            what = tr(
                "the bundle has no packages for {machine}: what the steps need has to be installed already",
                machine=at.host.machine(),
            )
            return (StepFinding("no-packages", what, at.bundle.root, weight="note"),)
        return ()

    def changes(self, at: StepContext) -> Sequence[Change]:
        """One file with all repositories for this machine."""
        found = repositories_for(at) if package_manager(at.host) else ()
        if not found:
            return ()
        content = b"\n".join(
            repo_file(_ours(repo), _root_url(at), remarks=_REMARKS, settings=_SETTINGS, enabled=False) for repo in found
        )
        return (WriteFile(REPOSITORY_FILE, content),)

    def faults(self, at: StepContext) -> Sequence[StepFinding]:
        """Have the package manager read the repository, with its keys and addresses."""
        if not self.changes(at):
            return ()
        done = at.host.run((*on_ours_alone(package_manager(at.host)), "-q", "makecache"))
        if done.code == 0:
            return ()
        lines = [line.strip() for line in f"{done.stderr}\n{done.stdout}".splitlines() if line.strip()]
        what = tr("cannot be used: {lines}", lines=" ".join(lines[:_MAX_LINES]) or tr("exit {code}", code=done.code))
        remedy = tr("Mend what it complains of.")
        if at.this.role == "edge":
            remedy = tr("Look whether the mirror runs: `mirror service status` on the cloud host.")
        return (StepFinding("repository-unusable", what, REPOSITORY_FILE, remedy, "fault"),)


def repositories_for(at: StepContext) -> tuple[RepoSnippet, ...]:
    """Return the bundle's repositories that have packages for this machine."""
    machine = at.host.machine()
    machines: dict[str, set[str]] = {}
    for path in at.bundle.digests:
        if (nevra := nevra_of(path)) is not None:
            machines.setdefault(path.rpartition("/")[0], set()).add(nevra.arch)
    return tuple(
        repo
        for repo in at.bundle.repositories
        if (found := machines.get(unquote(repo.directory), set())) and (machine in found or found == {"noarch"})
    )


def _ours(repo: RepoSnippet) -> RepoSnippet:
    return replace(repo, id=f"{REPOSITORY}{repo.id.removeprefix(SECTION)}")


def _root_url(at: StepContext) -> str:
    if at.this.role == "cloud":
        return f"file://{quote(at.bundle.root)}"
    mirror, host = at.config.mirror, at.config.cloud.name
    if mirror.packages == "ftp":
        return f"ftp://{host}" if mirror.ftp in (None, 21) else f"ftp://{host}:{mirror.ftp}"
    return f"http://{host}:{mirror.http}"
