"""The site's authority on the cloud host: made once, with it the registry's certificate, and trust in it spread.

As changes, for the steps that need them and for `bundler site ca`. Keys are 0600, never shown and never published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.host.file_changes import CannotEditError, EditFile
from bundler.host.journal import Record
from bundler.site.certificates import certificate_problems, ends_soon, is_key, issued, new_authority, new_key
from bundler.site.password_file import is_owners_alone
from bundler.site.registry_files import (
    AUTHORITY,
    AUTHORITY_KEY,
    REGISTRY_CERTIFICATE,
    REGISTRY_KEY,
    engine_trust_file,
    registry_names,
)
from bundler.site.step import Step, StepContext
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host
    from bundler.site.config.model import SiteConfig

_SECRET, _PUBLIC = 0o600, 0o644
_STAYS = f"the site's authority in {AUTHORITY_KEY} and {AUTHORITY}; remove it when no host trusts it any more"


@dataclass(frozen=True, slots=True)
class AuthorityMade:
    """The authority: made where there is none, and never anew, for every host of the site trusts it.

    Arguments:
        name: its common name.
    """

    name: str
    title: ClassVar[str] = tr("make the site's authority in {authority}", authority=AUTHORITY)
    key: ClassVar[tuple[str, ...]] = (_STAYS,)

    def record(self, host: Host) -> Record:
        """That it stays."""
        del host
        return Record(stays=_STAYS)

    def describe(self, host: Host) -> str:
        """Return the title, and where its key lies."""
        del host
        return tr(
            "{title}\n    {name}; its key in {authority_key} (0600) never leaves this host",
            title=self.title,
            name=self.name,
            authority_key=AUTHORITY_KEY,
        )

    def is_done(self, host: Host) -> bool:
        """Tell whether both of its files are there and belong together."""
        return is_owners_alone(host.status(AUTHORITY_KEY)) and not certificate_problems(
            host.read(AUTHORITY), host.read(AUTHORITY_KEY), (), host.now()
        )

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Make what is missing, the key first."""
        del ours, force
        key = host.read(AUTHORITY_KEY)
        if key is None:
            if host.exists(AUTHORITY):
                raise _taken(AUTHORITY, tr("is there without its key {authority_key}", authority_key=AUTHORITY_KEY))
            key = new_key()
        if not is_key(key):
            raise _taken(AUTHORITY_KEY, tr("holds no private key of an authority made here"))
        host.write(AUTHORITY_KEY, key, _SECRET)
        there = host.read(AUTHORITY)
        if there is None:
            host.write(AUTHORITY, new_authority(key, self.name, host.now()), _PUBLIC)
        elif problems := certificate_problems(there, key, (), host.now()):
            raise _taken(AUTHORITY, problems[0])
        return ()


@dataclass(frozen=True, slots=True)
class _FileMadeHere:
    """A file whose content nobody knows before it is made."""

    path: str

    @property
    def key(self) -> tuple[str, ...]:
        """The file."""
        return (self.path,)

    def record(self, host: Host) -> Record:
        """The file; what it holds is known when it is made."""
        return Record(file=self.path, sha256=host.digest(self.path))


@dataclass(frozen=True, slots=True)
class KeyMade(_FileMadeHere):
    """A private key, made where there is none."""

    @property
    def title(self) -> str:
        """Its path."""
        return tr("make the key {path}", path=self.path)

    def describe(self, host: Host) -> str:
        """Return the title, and for whom."""
        del host
        return tr("{title}\n    for its owner alone (0600)", title=self.title)

    def is_done(self, host: Host) -> bool:
        """Tell whether it is there, for its owner alone."""
        return is_owners_alone(host.status(self.path)) and is_key(host.read(self.path))

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[str, ...]:
        """Make it; another file that is no key stays."""
        there = host.read(self.path)
        if there is not None and not is_key(there) and not force and host.digest(self.path) not in ours:
            raise _taken(self.path, tr("holds something else than a private key"))
        host.write(self.path, there if there is not None and is_key(there) else new_key(), _SECRET)
        return (self.path,)


@dataclass(frozen=True, slots=True)
class CertificateIssued(_FileMadeHere):
    """A server's certificate by the site's authority: made anew near its end, for other names, for another key.

    Arguments:
        private_key: path of its key.
        names: host names and addresses, that of its subject first.
    """

    private_key: str
    names: tuple[str, ...]

    @property
    def title(self) -> str:
        """Its path."""
        return tr("issue the certificate {path}", path=self.path)

    def describe(self, host: Host) -> str:
        """Return the title, for which names, and why."""
        why = "; ".join(self.lacking(host))
        return tr("{title}\n    for {names}", title=self.title, names=", ".join(self.names)) + (
            f" ({why})" if host.exists(self.path) else ""
        )

    def lacking(self, host: Host) -> tuple[str, ...]:
        """Return why the one that is there does not do, a phrase each."""
        there = host.read(self.path)
        problems = certificate_problems(
            there, host.read(self.private_key), self.names, host.now(), authority=host.read(AUTHORITY)
        )
        if problems or there is None:
            return problems
        return (tr("it ends soon"),) if ends_soon(there, host.now()) else ()

    def is_done(self, host: Host) -> bool:
        """Tell whether the one that is there does."""
        return host.exists(AUTHORITY) and not self.lacking(host)

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[str, ...]:
        """Issue it."""
        del ours, force
        authority, authority_key, key = (host.read(path) for path in (AUTHORITY, AUTHORITY_KEY, self.private_key))
        if authority is None or authority_key is None or key is None:
            raise _taken(AUTHORITY_KEY, tr("is gone, or the certificate's own key"))
        try:
            certificate = issued(authority, authority_key, key, self.names, host.now())
        except ValueError as error:
            raise _taken(self.path, tr("cannot be issued: {error}", error=error)) from error
        host.write(self.path, certificate, _PUBLIC)
        return (self.path,)


class SiteAuthority(Step):
    """What `bundler site ca` does; the step `harbor` does it as well where it needs it."""

    name = "ca"
    title = tr("the site's own authority, and the registry's certificate")

    def changes(self, at: StepContext) -> Sequence[Change]:
        """The authority, the registry's key, its certificate."""
        return authority_changes(at.config)


def authority_changes(config: SiteConfig) -> tuple[Change, ...]:
    """Return the authority, and the registry's certificate by it for every name of the registry."""
    return (
        AuthorityMade(f"KubeEdge site of {config.cloud.name}"),
        KeyMade(REGISTRY_KEY),
        CertificateIssued(REGISTRY_CERTIFICATE, REGISTRY_KEY, registry_names(config)),
    )


def trust_change(host: Host, config: SiteConfig, source: str) -> EditFile:
    """Return the change that lets this host's engine trust the registry's authority, which lies in another file."""

    def authority(there: bytes | None) -> bytes | None:
        del there
        content = host.read(source)
        if content is None:
            raise CannotEditError(
                tr("{source} is not there", source=source), tr("Bring it, or make it with `bundler site ca`.")
            )
        return content

    return EditFile(engine_trust_file(config), authority, (tr("a copy of {source}", source=source),))


def _taken(path: str, what: str) -> ChangeFailedError:
    return ChangeFailedError(ChangeFailure(Reason.FILE_TAKEN, what, where=path, remedy=tr("Move it away.")))
