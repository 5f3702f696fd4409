"""The .repo files of a mirror, and the commands that put them in place. Signatures are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from bundler.model.client_config import HOST_PLACEHOLDER, SECTION, repo_file
from mirror.client.reach import Snippet
from mirror.client.wording import (
    CA_FILE,
    CLIENT_URL,
    NAME_PLACEHOLDER,
    PASSWORD_PLACEHOLDER,
    curl,
    curl_remarks,
    root_url,
    schemes,
    word,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bundler.model.client_config import RepoSnippet
    from mirror.client.reach import Reach

REPO_DIRECTORY = "/etc/yum.repos.d"


def yum_snippets(repositories: Iterable[RepoSnippet], reach: Reach) -> Iterator[Snippet]:
    """Yield for each repository and protocol the .repo file, and the commands that put it in place.

    A mirror with TLS takes no password in clear, and yum speaks no FTP but in clear: then there is HTTP alone.
    """
    usable = [scheme for scheme in schemes(reach) if scheme == "http" or not (reach.tls and reach.login)]
    for repo in repositories:
        for scheme in usable:
            yield _file(repo, reach, scheme)
            yield _commands(repo, reach, scheme)


def _name(repo: RepoSnippet, scheme: str) -> str:
    return f"yum{repo.id.removeprefix(SECTION)}-{scheme}"


def _path(repo: RepoSnippet) -> str:
    return f"{REPO_DIRECTORY}/bundle{repo.id.removeprefix(SECTION)}.repo"


def _file(repo: RepoSnippet, reach: Reach, scheme: str) -> Snippet:
    settings: list[str] = []
    remarks: list[str] = []
    if reach.login:
        settings += [f"username={NAME_PLACEHOLDER}", f"password={PASSWORD_PLACEHOLDER}"]
        remarks.append(
            f"Replace {NAME_PLACEHOLDER} and {PASSWORD_PLACEHOLDER} by yours, and keep others out: chmod 600."
        )
    if reach.tls and scheme == "http":
        remarks.append(
            "If this machine does not trust the mirror's certificate, copy its authority's PEM file here and name it "
            f"below each section's baseurl: sslcacert={CA_FILE}"
        )
    elif reach.tls:
        remarks.append("yum and dnf speak plain FTP, without TLS; packages are still held to their signatures.")
    return Snippet(
        name=f"{_name(repo, scheme)}.repo",
        tool="yum",
        title=f"yum and dnf over {scheme.upper()}: {repo.directory}",
        title_zh=f"yum 与 dnf，经 {scheme.upper()}：{repo.directory}",
        text=repo_file(repo, root_url(reach, scheme), remarks=remarks, settings=settings).decode(),
        commands=False,
        path=_path(repo),
    )


def _commands(repo: RepoSnippet, reach: Reach, scheme: str) -> Snippet:
    path = word(_path(repo))
    url = root_url(reach, scheme)
    begin = curl(reach, scheme)
    if scheme == "http":
        lines = [f"{begin} -o {path} {word(f'{url}{CLIENT_URL}/{quote(_name(repo, scheme))}.repo')}"]
    else:
        # over FTP there is nothing but the bundle, which has a template
        template = word(f"{url}/{repo.directory}/ftp.repo.tmpl")
        host = url.removeprefix("ftp://")
        lines = [f"{begin} {template} | sed {word(f's/{HOST_PLACEHOLDER}/{host}/')} > {path}"]
        if reach.login:
            edit = f"/^baseurl=/a username={NAME_PLACEHOLDER}\\npassword={PASSWORD_PLACEHOLDER}"
            lines.append(f"sed -i {word(edit)} {path}")
    if reach.login:
        lines.append(f"chmod 600 {path}    # then replace {NAME_PLACEHOLDER} and {PASSWORD_PLACEHOLDER} in it")
    lines.append(f"yum --disablerepo='*' --enablerepo={word(f'{repo.id}*')} list available")
    return Snippet(
        name=f"{_name(repo, scheme)}.sh",
        tool="yum",
        title=f"Put {path} in place over {scheme.upper()}, and list what it offers",
        title_zh=f"经 {scheme.upper()} 写入 {path}，并列出可安装的软件包",
        text="\n".join([*curl_remarks(reach), *lines, ""]),
        commands=True,
    )
