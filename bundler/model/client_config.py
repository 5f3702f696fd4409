"""Client configuration as text (docs/design.md, 8: the same is shown by the mirror). Pure: names and URLs come in.

The .repo files are written for yum 3.4 as well as dnf: keys as in yum.conf(5) and dnf.conf(5), only those that both
know.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.model.reference import DEFAULT_HOST
from bundler.model.rpm.repo import DEFAULT_PATH

if TYPE_CHECKING:
    from collections.abc import Sequence

# where the walk-through unpacks a bundle
SITE_ROOT_URL = "file:///opt"
# what an operator replaces in the templates: sed 's/@HOST@/master/'
HOST_PLACEHOLDER = "@HOST@"
KEY_PREFIX = "RPM-GPG-KEY-"
SECTION = "local"
# where docker.io answers
HUB_SERVER = "registry-1.docker.io"
_COMMENT = "# "


@dataclass(frozen=True, slots=True)
class RepoSnippet:
    """What a .repo file says of one repository of a bundle.

    Arguments:
        id: the section's name, what `--enablerepo` takes.
        title: one line for people.
        directory: the repository's path below the bundle's root.
        key_files: names of the keys in that directory.
        unchecked: NAME.ARCH of the packages whose signatures nobody checked: the manifest says `gpgcheck: false` of the
            repository that they come from.
    """

    id: str
    title: str
    directory: str
    key_files: Sequence[str]
    unchecked: Sequence[str] = ()


def section_name(directory: str) -> str:
    """Return what clients call a repository: `local` for yum, `local-aarch64` for yum-aarch64, `local-x-y` for x/y."""
    name = directory.replace("/", "-")
    return f"{SECTION}{name.removeprefix(DEFAULT_PATH)}" if name.startswith(DEFAULT_PATH) else f"{SECTION}-{name}"


def repo_file(
    repo: RepoSnippet,
    root_url: str,
    *,
    remarks: Sequence[str] = (),
    settings: Sequence[str] = (),
    enabled: bool = True,
) -> bytes:
    """Return a .repo file.

    Signatures are checked. Packages that nobody vouches for get a section of their own without the check, which gives
    nothing but these packages; the first section never gives them.

    Arguments:
        root_url: the bundle's root as clients reach it, without a slash at its end: `file:///opt`, `http://master:8088`.
        remarks: lines to begin with, without the `#`.
        settings: further lines of each section, `KEY=VALUE`.
        enabled: whether it counts where nobody asks for it by name.
    """
    base = f"{root_url}/{repo.directory}"
    settings = (f"enabled={int(enabled)}", *settings)
    lines = [f"{_COMMENT}{remark}" for remark in remarks]
    # without a key there is no signed package, and the section would be empty
    if repo.key_files or not repo.unchecked:
        lines += [f"[{repo.id}]", f"name={repo.title}", f"baseurl={base}/", *settings, "gpgcheck=1"]
        if repo.key_files:
            lines.append("gpgkey=" + "\n       ".join(f"{base}/{name}" for name in repo.key_files))
        if repo.unchecked:
            lines += [f"exclude={' '.join(repo.unchecked)}", ""]
    if repo.unchecked:
        lines += [
            f"{_COMMENT}No signature was checked when these packages were bundled (gpgcheck: false in the manifest).",
            f"[{repo.id}-unchecked]",
            f"name={repo.title}, packages without checked signatures",
            f"baseurl={base}/",
            *settings,
            "gpgcheck=0",
            f"includepkgs={' '.join(repo.unchecked)}",
        ]
    return ("\n".join(lines) + "\n").encode()


def repo_files(repo: RepoSnippet) -> dict[str, bytes]:
    """Return file name -> content of the client files that travel in a repository's directory.

    `local.repo` works as it is for a bundle unpacked below /opt; the templates want a host in place of `@HOST@`.
    """
    local = f"For a bundle unpacked in /opt: cp /opt/{repo.directory}/local.repo /etc/yum.repos.d/"
    files = {"local.repo": repo_file(repo, SITE_ROOT_URL, remarks=[local])}
    # the mirror's own ports (docs/design.md, 8); ftp has its usual one
    for scheme, example in (("ftp", "master"), ("http", "master:8088")):
        name = f"{scheme}.repo.tmpl"
        remark = (
            f"Replace {HOST_PLACEHOLDER} by the host (and port) that serves the bundle: "
            f"sed 's/{HOST_PLACEHOLDER}/{example}/' {name} > /etc/yum.repos.d/bundle.repo"
        )
        files[name] = repo_file(repo, f"{scheme}://{HOST_PLACEHOLDER}", remarks=[remark])
    return files


def daemon_json(authority: str, *, tls: bool, hub_mirror: bool) -> str:
    """Return the members of Docker's daemon.json for a registry, or "" when Docker needs none of them.

    Arguments:
        authority: the registry's HOST:PORT; nothing else is talked to without TLS.
        tls: whether it speaks TLS, which wants a certificate and no setting.
        hub_mirror: whether names of the hub are to be asked for there first; Docker knows mirrors of no other registry.
    """
    members: dict[str, list[str]] = {}
    if not tls:
        members["insecure-registries"] = [authority]
    if hub_mirror:
        members["registry-mirrors"] = [f"{'https' if tls else 'http'}://{authority}"]
    return json.dumps(members, indent=2) + "\n" if members else ""


def hosts_toml(upstream: str, url: str, *, remarks: Sequence[str] = (), authorization: str = "") -> str:
    """Return containerd's hosts.toml by which a registry's images come from a mirror, else from the registry itself.

    Arguments:
        upstream: the registry as images are named: `registry.k8s.io`.
        url: the mirror's, without a path.
        remarks: lines to begin with, without the `#`.
        authorization: value of a header field of that name, "" for none.

    See containerd's docs/hosts.md: containerd names the upstream in every request (`?ns=`).
    """
    server = HUB_SERVER if upstream == DEFAULT_HOST else upstream
    lines = [*(f"{_COMMENT}{remark}" for remark in remarks), f"server = {_quoted(f'https://{server}')}", ""]
    lines += [f"[host.{_quoted(url)}]", '  capabilities = ["pull", "resolve"]']
    if authorization:
        lines += [f"  [host.{_quoted(url)}.header]", f"    Authorization = [{_quoted(authorization)}]"]
    return "\n".join(lines) + "\n"


def registries_conf(upstreams: Sequence[str], authority: str, *, tls: bool, remarks: Sequence[str] = ()) -> str:
    """Return a file for registries.conf.d, read by podman, CRI-O, buildah and skopeo (containers-registries.conf(5)).

    Every upstream is asked for at the mirror first, by its full name behind the mirror's. One whose name has a port
    would make a name that clients refuse: its images are asked for by their names on the site.
    """
    insecure = [] if tls else ["insecure = true"]
    lines = [f"{_COMMENT}{remark}" for remark in remarks]
    lines += ["[[registry]]", f"location = {_quoted(authority)}", *insecure]
    for upstream in upstreams:
        behind = authority if ":" in upstream else f"{authority}/{upstream}"
        lines += ["", "[[registry]]", f"prefix = {_quoted(upstream)}", f"location = {_quoted(upstream)}"]
        lines += ["[[registry.mirror]]", f"location = {_quoted(behind)}", *insecure]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a basic string of TOML, whose escapes JSON's are among."""
    return json.dumps(text)
