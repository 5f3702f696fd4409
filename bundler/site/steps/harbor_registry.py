"""Harbor, the registry of the site: unpacked beside the bundle, its harbor.yml, its certificate, its containers."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from typing import TYPE_CHECKING

from bundler.host.file_changes import EditFile
from bundler.manifest.yaml_edit import read_plain, value_at
from bundler.site.authority import authority_changes, trust_change
from bundler.site.certificates import certificate_problems, ends_soon, is_own_authority
from bundler.site.edits.harbor_yml import HTTP_PORT, HTTPS_PORT, HarborWish, harbor_yml
from bundler.site.harbor_installer import HarborInstalled, InstallerUnpacked, harbor_awaited, unhealthy
from bundler.site.password_file import how_to_write, password_problem, read_password
from bundler.site.registry_files import certificate_pair, is_issued_here, registry_names, trusted_file
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host
    from bundler.site.config.model import SiteConfig

_INSTALLER = "harbor-*installer-v*.tgz"
_INSTALLER_VERSION = re.compile(r"-v(\d+\.\d+\.\d+)[^/]*\.tgz$")
_SECRET = 0o600
# what Harbor's own pages call the least
USUAL_FREE_BYTES = 40 * 1000**3
_OWN_HOLDERS = ("docker-proxy", "nginx", "")


class HarborRegistry(Step):
    """The guide changes one line of the template, with which Harbor's installer ends in an error."""

    name = "harbor"
    title = tr("the registry of the site, a Harbor")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Name what Harbor's installer would not find, or would take without looking."""
        if at.config.registry.kind != "harbor":
            return tuple(_missing_authority(at))
        return (*_missing(at), *_missing_authority(at), *_unfit_pair(at), *_taken_ports(at), *_notes(at))

    def changes(self, at: StepContext) -> Sequence[Change]:
        """The installer, certificates, harbor.yml, install.sh, Harbor's health; of another registry, trust alone."""
        config = at.config
        trusted = _spread(at)
        trust = (trust_change(at.host, config, trusted),) if trusted else ()
        if config.registry.kind != "harbor":
            return trust
        directory = harbor_directory(config)
        name = _installer(at)
        pair = certificate_pair(config) if config.registry_https else ()
        unpacked = (InstallerUnpacked(at.bundle.path(name), at.bundle.digests[name], directory),) if name else ()
        return (
            *unpacked,
            *(authority_changes(config) if is_issued_here(config) else ()),
            *trust,
            _harbor_yml(at.host, config),
            HarborInstalled(directory, tuple(pair), config.registry.data),
            harbor_awaited(_port(config), tls=config.registry_https),
        )


def harbor_directory(config: SiteConfig) -> str:
    """Return where Harbor's installer lies: beside the bundle, as in the guide, and in no bundle's list."""
    return f"{config.root.rstrip('/')}/harbor"


def _harbor_yml(host: Host, config: SiteConfig) -> EditFile:
    directory = harbor_directory(config)
    certificate, key = certificate_pair(config) if config.registry_https else ("", "")

    def edit(there: bytes | None) -> bytes:
        wish = HarborWish(
            hostname=config.registry_host,
            port=config.registry.port,
            certificate=certificate,
            private_key=key,
            password=read_password(host, config.registry.password_file),
            data=config.registry.data,
        )
        return harbor_yml(host.read(f"{directory}/harbor.yml.tmpl"), there, wish)

    scheme = "https" if config.registry_https else "http"
    summary = (
        f"hostname: {config.registry_host}",
        f"{scheme}.port: {_port(config)}",
        *((f"https.certificate: {certificate}", f"https.private_key: {key}") if certificate else ("https: removed",)),
        f"harbor_admin_password: (what {config.registry.password_file} holds)",
        f"data_volume: {config.registry.data}",
    )
    return EditFile(f"{directory}/harbor.yml", edit, summary, mode=_SECRET, secret=True)


def _port(config: SiteConfig) -> int:
    return config.registry.port or (HTTPS_PORT if config.registry_https else HTTP_PORT)


def _installer(at: StepContext) -> str:
    """Return the installer's path in the bundle; "" where it brings none."""
    found = [name for name in sorted(at.bundle.digests) if fnmatch.fnmatch(posixpath.basename(name), _INSTALLER)]
    return found[-1] if found else ""


def _other_version(at: StepContext) -> StepFinding | None:
    """Name a Harbor of another version that was set up already: an installer over it would leave neither."""
    path = f"{harbor_directory(at.config)}/harbor.yml"
    wanted = _INSTALLER_VERSION.search(_installer(at))
    content = at.host.read(path)
    if content is None or wanted is None:
        return None
    try:
        found = value_at(read_plain(content), ("_version",))
    except ValueError as error:
        return StepFinding("harbor-unreadable", str(error), path, tr("Mend it, or move it away."))
    if found == wanted[1]:
        return None
    remedy = tr("Migrate Harbor by its own guide, then apply again; or take a bundle with the version that is here.")
    return StepFinding(
        "harbor-other-version",
        tr("is version {found}'s, and the bundle brings {wanted}", found=found, wanted=wanted[1]),
        path,
        remedy,
    )


def _spread(at: StepContext) -> str:
    """Return the authority that this host's engine is to trust, where it is one; systems trust others themselves."""
    path = trusted_file(at.config)
    if not path or path != at.config.registry.certificate:
        return path
    content = at.host.read(path)
    try:
        return path if content is not None and is_own_authority(content) else ""
    except ValueError:
        return ""


def _missing(at: StepContext) -> Iterator[StepFinding]:
    config, directory = at.config, harbor_directory(at.config)
    if not _installer(at) and not at.host.exists(f"{directory}/harbor.yml.tmpl"):
        remedy = tr("Build the bundle with harbor-offline-installer-vX.Y.Z.tgz, or choose another registry.kind.")
        yield StepFinding("installer-missing", tr("the bundle brings no installer of Harbor"), at.bundle.root, remedy)
    if (other := _other_version(at)) is not None:
        yield other
    if any(name.startswith("harbor/") for name in at.bundle.digests):
        remedy = tr("Give these files another directory in the manifest.")
        what = tr(
            "the bundle lists files below harbor/, where Harbor's passwords will lie: the mirror would serve them"
        )
        yield StepFinding("harbor-published", what, at.bundle.root, remedy)
    path = config.registry.password_file
    if problem := password_problem(at.host, path):
        yield StepFinding("password-unusable", problem, path, how_to_write(path))


def _missing_authority(at: StepContext) -> Iterator[StepFinding]:
    path = at.config.registry.ca_file if at.config.registry_https else ""
    if path and at.host.status(path) is None:
        yield StepFinding("ca-missing", tr("does not exist"), path, tr("Bring it, or correct site.yaml."))


def _unfit_pair(at: StepContext) -> Iterator[StepFinding]:
    """Look at a pair that was given: Harbor takes whatever lies there."""
    registry = at.config.registry
    if not at.config.registry_https or not registry.certificate:
        return
    certificate, key = at.host.read(registry.certificate), at.host.read(registry.private_key)
    names = registry_names(at.config)
    remedy = tr(
        "Give a certificate for the registry's name with its key, or leave both out: the site's authority makes one."
    )
    problems = certificate_problems(certificate, key, names[:1], at.host.now())
    for problem in problems:
        yield StepFinding("certificate-unfit", problem, registry.certificate, remedy)
    if problems or certificate is None:
        return
    for problem in certificate_problems(certificate, key, names[1:], at.host.now()):
        yield StepFinding(
            "certificate-note",
            tr("{problem}; images go by {names}", problem=problem, names=names[0]),
            registry.certificate,
            weight="note",
        )
    if ends_soon(certificate, at.host.now()):
        yield StepFinding("certificate-ends", tr("ends within 30 days"), registry.certificate, tr("Renew it."), "note")


def _taken_ports(at: StepContext) -> Iterator[StepFinding]:
    """Name who has Harbor's ports, unless Harbor itself does."""
    tls, port = at.config.registry_https, _port(at.config)
    if not unhealthy(at.host, port, tls=tls):
        return
    names = {process.pid: process.name for process in at.host.processes()}
    for taken in at.host.listening():
        holder = names.get(taken.pid, "")
        if taken.port in {port, HTTP_PORT if tls else port} and holder not in _OWN_HOLDERS:
            what = tr("port {port} is taken by {holder} (process {pid})", port=taken.port, holder=holder, pid=taken.pid)
            yield StepFinding("port-taken", what, remedy=tr("End it, or set registry.port in site.yaml."))


def _notes(at: StepContext) -> Iterator[StepFinding]:
    free = at.host.free_bytes(at.config.registry.data)
    if free < USUAL_FREE_BYTES:
        what = tr("{free:.0f} GB are free; Harbor's own pages ask for 40", free=free / 1000**3)
        yield StepFinding("disk-small", what, at.config.registry.data, weight="note")
    if not at.config.registry_https:
        what = tr("the registry has no TLS: passwords and images go over the network as they are")
        yield StepFinding("registry-plain", what, at.config.registry_address, weight="note")
