"""What an item of `rpms:` may say, and what is said of it when it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml

from bundler.errors import ManifestError
from bundler.kinds.rpms.entry import RpmEntry
from bundler.kinds.rpms.kind import RpmsKind
from bundler.kinds.rpms.schema import RPM_SCHEMA
from bundler.manifest.reader import read_manifest
from bundler.model.rpm.nevra import Nevra
from bundler.model.rpm.repo import RepoSpec

if TYPE_CHECKING:
    from pathlib import Path

REPO = "{id: a, baseurl: https://x.example/7/, gpgkey: https://x.example/key}"
FULL = """
path: yum-arm
release: 7.9
arch: aarch64
repos:
  - id: docker-ce
    baseurl: [https://a.example/7/, "ftp://b.example/7", local/repo/]
    gpgkey: [https://a.example/key, keys/second.asc]
    repo_gpgcheck: true
    priority: 10
    cost: 500
    include: ["docker-*"]
    exclude: [docker-scan-plugin]
    modules: ["container-tools:rhel8"]
  - {id: open, mirrorlist: https://x.example/list, gpgcheck: false}
packages: ["docker-ce-${v}*", /usr/sbin/vsftpd, "@base"]
weak_dependencies: true
multilib: true
roles: [edge]
"""


def read(item: str, directory: Path, *, platforms: str = "[linux/amd64, linux/arm64]") -> RpmEntry:
    """Return the entry that an item in flow or block style stands for; ManifestError when there is a problem."""
    lines = "\n".join(f"    {line}" for line in item.strip().splitlines())
    text = f'version: 1\nname: n\nplatforms: {platforms}\nvars: {{v: "20.10"}}\nrpms:\n  -\n{lines}\n'
    manifest = read_manifest(text.encode(), file=str(directory / "m.yaml"), kinds=[RpmsKind()])
    assert manifest.warnings == ()
    [entry] = manifest.entries["rpms"]
    assert isinstance(entry, RpmEntry)
    return entry


def problems(item: str, directory: Path) -> str:
    """Return what is said of a faulty item, without the file's name."""
    with pytest.raises(ManifestError) as caught:
        read(item, directory)
    return "\n".join(caught.value.problems).replace(f"{directory}/", "")


def test_everything_an_entry_may_say(tmp_path: Path) -> None:
    entry = read(FULL, tmp_path)
    assert (entry.id, entry.path, entry.release, entry.arch) == ("yum-arm", "yum-arm", "7.9", "aarch64")
    assert str(entry.platform) == "linux/arm64"
    assert entry.key == "yum-arm"
    assert entry.repos == (
        RepoSpec(
            "docker-ce",
            baseurls=("https://a.example/7/", "ftp://b.example/7", "local/repo/"),
            gpgkeys=("https://a.example/key", "keys/second.asc"),
            repo_gpgcheck=True,
            priority=10,
            cost=500,
            include=("docker-*",),
            exclude=("docker-scan-plugin",),
            modules=("container-tools:rhel8",),
        ),
        RepoSpec("open", mirrorlist="https://x.example/list", gpgcheck=False),
    )
    assert [spec.text for spec in entry.packages] == ["docker-ce-20.10*", "/usr/sbin/vsftpd", "@base"]
    assert (entry.weak_dependencies, entry.multilib, entry.roles) == (True, True, ("edge",))
    jsonschema.validate(yaml.safe_load(FULL), dict(RPM_SCHEMA), jsonschema.Draft202012Validator)


def test_what_is_left_out_is_the_usual(tmp_path: Path) -> None:
    entry = read(f"{{arch: x86_64, repos: [{REPO}], packages: [p]}}", tmp_path)
    assert (entry.id, entry.path, entry.release, entry.installed) == ("yum", "yum", "", None)
    assert (entry.weak_dependencies, entry.multilib, entry.roles) == (False, False, ("cloud", "edge"))
    assert entry.repos[0].gpgcheck
    assert entry.targets() == ("yum/repodata/repomd.xml",)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (f"{{repos: [{REPO}], packages: [p]}}", "an rpms entry lacks the key 'arch'"),
        (f"{{arch: amd64, repos: [{REPO}], packages: [p]}}", "unknown value 'amd64'"),
        (f"{{arch: x86_64, repos: [{REPO}]}}", "lacks the key 'packages'"),
        ("{arch: x86_64, packages: [p]}", "lacks the key 'repos'"),
        (f"{{arch: x86_64, repos: [{REPO}], packages: p}}", "want a list, got the string 'p'"),
        (f"{{arch: x86_64, repos: [{REPO}, {REPO}], packages: [p]}}", "two repositories are called 'a'"),
        (f"{{path: k8simage/x, arch: x86_64, repos: [{REPO}], packages: [p]}}", "'k8simage' is a reserved top-level"),
        (f"{{path: ../yum, arch: x86_64, repos: [{REPO}], packages: [p]}}", "has the segment '..'"),
        (f"{{path: yum-ä b, arch: x86_64, repos: [{REPO}], packages: [p]}}", "want letters, digits, . _ - and / only"),
        (f"{{path: YUM, arch: x86_64, repos: [{REPO}], packages: [p]}}", "'YUM' is a reserved top-level"),
        (f"{{arch: x86_64, repos: [{REPO}], packages: [p], instaled: x}}", "did you mean 'installed'?"),
    ],
)
def test_faulty_entries(tmp_path: Path, item: str, said: str) -> None:
    assert said in problems(item, tmp_path)


@pytest.mark.parametrize(
    ("repo", "said"),
    [
        ("id: a, baseurl: https://x.example/", "needs 'gpgkey': its packages' signatures are checked unless"),
        ("id: a, baseurl: x/, gpgcheck: false, repo_gpgcheck: true", "'repo_gpgcheck': needs 'gpgkey'"),
        ("id: a, gpgkey: k", "lacks one of the keys baseurl, mirrorlist, metalink"),
        ("id: a, gpgkey: k, baseurl: https://x/, metalink: https://y/", "'metalink' cannot stand beside 'baseurl'"),
        ("baseurl: https://x/, gpgkey: k", "a repository lacks the key 'id'"),
        ("id: a/b, baseurl: https://x/, gpgkey: k", "'a/b' is not a repository id"),
        ("id: a, baseurl: gopher://x/, gpgkey: k", "has the scheme 'gopher'"),
        ("id: a, baseurl: 'https://me:secret@x/', gpgkey: k", "holds credentials"),
        ("id: a, baseurl: https://x/, gpgkey: k, priority: 0", "want a whole number from 1 to 99, got the number 0"),
        (
            "id: a, baseurl: https://x/, gpgkey: k, priority: '1'",
            "want a whole number from 1 to 99, got the string '1'",
        ),
        ("id: a, baseurl: https://x/, gpgkey: k, cost: true", "want a whole number from 0 to 1000000"),
        ("id: a, baseurl: https://x/, gpgkey: k, gpgcheck: 'no'", "want true or false"),
        ("id: a, baseurl: https://x/, gpgkey: k, modules: [nodejs]", "'nodejs' is not NAME:STREAM"),
        ("id: a, baseurl: https://x/, gpgkey: k, modules: ['n:1', 'n:2']", "only one stream of a module"),
        ("id: a, baseurl: 'https://x/$archive', gpgkey: k", "a lone '$'"),
    ],
)
def test_faulty_repositories(tmp_path: Path, repo: str, said: str) -> None:
    assert said in problems(f"{{arch: x86_64, repos: [{{{repo}}}], packages: [p]}}", tmp_path)


def test_the_list_of_what_is_installed(tmp_path: Path) -> None:
    item = f"{{arch: x86_64, repos: [{REPO}], packages: [p], installed: lists/el7.txt}}"
    (tmp_path / "lists").mkdir()
    path = tmp_path / "lists" / "el7.txt"
    path.write_text(
        "# minimal\nbash-4.2.46-34.el7.x86_64\n\ngpg-pubkey-f4a80eb5-53a7ff4b\ndbus-1:1.10.24-15.el7.x86_64\n"
        # as `dnf repoquery` lists the packages of a repository
        "sed-0:4.2.2-7.el7.x86_64\n"
    )
    entry = read(item, tmp_path)
    assert entry.installed is not None
    assert entry.installed.packages == (
        Nevra("bash", 0, "4.2.46", "34.el7", "x86_64"),
        Nevra("dbus", 1, "1.10.24", "15.el7", "x86_64"),
        Nevra("sed", 0, "4.2.2", "7.el7", "x86_64"),
    )
    before = entry.meaning()
    path.write_text(path.read_text() + "zlib-1.2.7-18.el7.x86_64\n")
    assert read(item, tmp_path).meaning() != before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"bash\n", "el7.txt:1: 'bash' is not NAME-[EPOCH:]VERSION-RELEASE.ARCH; write one package per line"),
        (b"# nothing\n", "el7.txt names no package"),
        (b"\xff\xfe", "el7.txt is not UTF-8"),
        (None, "el7.txt cannot be read: No such file or directory"),
    ],
)
def test_faulty_lists_of_what_is_installed(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "el7.txt").write_bytes(content)
    item = f"{{arch: x86_64, repos: [{REPO}], packages: [p], installed: el7.txt}}"
    assert said in problems(item, tmp_path)


def test_a_list_outside_cannot_travel_with_the_manifest(tmp_path: Path) -> None:
    item = f"{{arch: x86_64, repos: [{REPO}], packages: [p], installed: ../el7.txt}}"
    assert "has to be a file beside the manifest" in problems(item, tmp_path)


def two(first: str, second: str, directory: Path) -> str:
    """Return the problems and warnings of two entries in these directories."""
    items = "".join(f"  - {{path: {path}, arch: x86_64, repos: [{REPO}], packages: [p]}}\n" for path in (first, second))
    try:
        text = f"version: 1\nname: n\nplatforms: [linux/arm64]\nrpms:\n{items}"
        manifest = read_manifest(text.encode(), file=str(directory / "m.yaml"), kinds=[RpmsKind()])
    except ManifestError as error:
        return "\n".join(error.problems)
    return "\n".join(map(str, manifest.warnings))


def test_repositories_do_not_lie_inside_each_other(tmp_path: Path) -> None:
    assert "lie inside each other" in two("yum/el7", "yum", tmp_path)
    assert "lie inside each other" in two("repo", "repo/el8", tmp_path)
    assert "already placed" in two("yum", "yum/", tmp_path)
    assert "inside" not in two("yum", "yum-el8", tmp_path)


def test_repositories_have_names_of_their_own_for_clients(tmp_path: Path) -> None:
    assert "are both called local-el8 by clients" in two("yum-el8", "yum/el8", tmp_path)
    assert "both called" not in two("yum-el8", "yum-el9", tmp_path)


def test_a_platform_that_the_bundle_is_not_for_is_a_warning(tmp_path: Path) -> None:
    assert "x86_64 is linux/amd64, which is not among the manifest's platforms" in two("yum", "yum-b", tmp_path)


@pytest.mark.parametrize("key", ["baseurl", "mirrorlist", "metalink", "gpgkey"])
@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("$releasever/$basearch", "$releasever"),
        ("$$releasever/$$basearch", "$releasever"),
        ("${releasever}", "${releasever}"),
        ("7/$basearch", "$basearch"),
        ("el$releasever_major", "$releasever_major"),
        ("$contentdir/8", "$contentdir"),
        ("8/$$arch/", "$arch"),
    ],
)
def test_variables_of_dnf_are_told_to_be_written_out(tmp_path: Path, key: str, written: str, named: str) -> None:
    address = "" if key != "gpgkey" else "baseurl: https://x.example/7, "
    open_repo = "" if key == "gpgkey" else ", gpgcheck: false"
    repo = f'{{id: a, {address}{key}: "https://x.example/{written}"{open_repo}}}'
    said = problems(f"{{arch: x86_64, repos: [{repo}], packages: [a]}}", tmp_path).splitlines()
    assert len(said) == 1
    assert f" {named} is not expanded: " in said[0]
    assert "write out" in said[0]


def test_a_manifests_own_variable_may_have_a_name_of_dnfs(tmp_path: Path) -> None:
    text = "version: 1\nname: n\nplatforms: [linux/amd64]\nvars: {releasever: '7'}\nrpms:\n"
    text += '  - {arch: x86_64, repos: [{id: a, baseurl: "https://x.example/${releasever}", gpgcheck: false}],'
    text += " packages: [a]}\n"
    manifest = read_manifest(text.encode(), file=str(tmp_path / "m.yaml"), kinds=[RpmsKind()])
    [entry] = manifest.entries["rpms"]
    assert isinstance(entry, RpmEntry)
    assert entry.repos[0].baseurls == ("https://x.example/7",)
