"""An edge's trust in the site's registry: its authority for the engine, and a login that may pull and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.host.file_changes import EditFile
from bundler.site.authority import trust_change
from bundler.site.edits.docker_logins import with_logins
from bundler.site.password_file import secret_file_problem
from bundler.site.registry_files import AUTHORITY, DOCKER_LOGINS, PULL_LOGIN
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change


class RegistryTrust(Step):
    """The guide turns the check of all certificates off instead, on every host."""

    name = "registry-trust"
    title = tr("trust in the site's registry")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Name what only the master can give."""
        findings = []
        if _has_an_authority(at) and at.host.status(AUTHORITY) is None:
            remedy = tr("{invite}, or bring the master's {authority}.", invite=_invite(at), authority=AUTHORITY)
            findings.append(
                StepFinding("ca-missing", tr("the registry's authority is not here yet"), AUTHORITY, remedy)
            )
        if not at.config.registry.public and (
            problem := secret_file_problem(at.host, PULL_LOGIN, tr("the login that pulls"))
        ):
            remedy = tr("{invite}, or bring the file of `bundler robot create` (0600).", invite=_invite(at))
            findings.append(StepFinding("login-missing", problem, PULL_LOGIN, remedy))
        return findings

    def changes(self, at: StepContext) -> Sequence[Change]:
        """The authority's certificate where engines look for it; root's login where projects are not public."""
        changes: list[Change] = []
        if _has_an_authority(at):
            changes.append(trust_change(at.host, at.config, AUTHORITY))
        if not at.config.registry.public:
            edit = EditFile(
                DOCKER_LOGINS,
                lambda there: with_logins(there, at.host.read(PULL_LOGIN)),
                (tr("the login of {pull_login} beside those that are there", pull_login=PULL_LOGIN),),
                mode=0o600,
                secret=True,
            )
            changes.append(edit)
        return changes


def _has_an_authority(at: StepContext) -> bool:
    """Tell whether engines need to be told whom to trust; of a registry that was there, only if the site says so."""
    registry = at.config.registry
    if not at.config.registry_https:
        return False
    return registry.kind == "harbor" or bool(registry.ca_file)


def _invite(at: StepContext) -> str:
    return tr("Join by an invitation (on the master: `bundler site invite --host {name}`)", name=at.this.name)
