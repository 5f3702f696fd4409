"""RPMs from one manifest to a real client: a closed, signed yum repository, whatever serves it."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.e2e.upstream import names, run, sha256
from tests.integration.dnf_client import DnfClient, DnfError
from tests.integration.file_servers import ftp_site, http_site
from tests.integration.rpm_packages import SpecLike, build_rpms, make_repository, sign, signing_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.rpm_packages import SigningKey

SPECS = (
    SpecLike("app", version="2.0", requires=("lib >= 2", "/usr/bin/tool"), recommends=("extra",)),
    SpecLike("app", version="1.0", requires=("lib >= 1",)),
    SpecLike("lib", version="2.1", epoch=1, arch="x86_64", built=1_650_000_000),
    SpecLike("tool", files={"/usr/bin/tool": b"#!/bin/sh\n"}),
    SpecLike("extra"),
    SpecLike("unrelated"),
)
CLOSURE = {"app-2.0-1.noarch", "lib-1:2.1-1.x86_64", "tool-1.0-1.noarch"}
COMPS = """<?xml version="1.0"?>
<comps><group><id>apps</id><name>Apps</name><packagelist>
<packagereq type="mandatory">app</packagereq><packagereq type="default">unrelated</packagereq>
</packagelist></group></comps>
"""

GROUPS = ("--groupfile", "comps.xml")


@dataclass(frozen=True, slots=True)
class Upstream:
    """A signed repository in `directory/upstream`, which the manifest beside it names by a relative path."""

    directory: Path
    key: SigningKey

    @property
    def rpms(self) -> Path:
        """The repository."""
        return self.directory / "upstream"

    def index(self) -> None:
        """Write the metadata anew."""
        subprocess.run(["createrepo_c", "--quiet", *GROUPS, self.rpms], check=True, timeout=60)

    def manifest(
        self, *, repo: str = "gpgkey: upstream/RPM-GPG-KEY-test", packages: str = "[app]", more: str = ""
    ) -> Path:
        """Write a manifest of one entry in `yum`."""
        path = self.directory / "site.yaml"
        path.write_text(
            "version: 1\nname: site\nrpms:\n"
            f"  - {{arch: x86_64, repos: [{{id: test, baseurl: upstream, {repo}}}], packages: {packages}{more}}}\n"
        )
        return path


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    """The packages, built and signed once."""
    directory = tmp_path_factory.mktemp("signed")
    with signing_home() as home:
        key = home.make_key("Test <test@example.org>")
        rpms = build_rpms(directory / "rpms", SPECS)
        sign(rpms, key)
        (directory / "upstream").mkdir()
        (directory / "upstream" / "comps.xml").write_text(COMPS)
        make_repository(directory / "upstream", rpms, key=key, options=GROUPS)
        yield Upstream(directory, key)


@pytest.fixture
def upstream(signed: Upstream, tmp_path: Path) -> Upstream:
    """A copy of the repository that the test may spoil."""
    shutil.copytree(signed.rpms, tmp_path / "upstream")
    return Upstream(tmp_path, signed.key)


def build(upstream: Upstream, output: str = "site.tar.gz") -> Path:
    """Build, and unpack with plain tar as a site does; returns the tree."""
    run(upstream.directory, "build", "site.yaml", "-o", output)
    root = upstream.directory / output.removesuffix(".tar.gz")
    root.mkdir()
    subprocess.run(["tar", "-zxf", upstream.directory / output, "-C", root], check=True, timeout=60)
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=root, check=True, timeout=60)
    return root


def rpms(root: Path) -> list[str]:
    """Return the packages of the bundle's repository."""
    return [name for name in names(root / "yum") if name.endswith(".rpm")]


def client(root: Path, base_url: str, target: Path) -> DnfClient:
    """A target that knows nothing but the bundle and the key that lies in it."""
    return DnfClient(target, {"local": f"{base_url}/yum"}, root / "yum" / "RPM-GPG-KEY-test")


def test_dnf_installs_from_the_bundle_whatever_serves_it(upstream: Upstream, tmp_path: Path) -> None:
    upstream.manifest()
    root = build(upstream)
    assert rpms(root) == ["app-2.0-1.noarch.rpm", "lib-2.1-1.x86_64.rpm", "tool-1.0-1.noarch.rpm"]
    with http_site(root) as http, ftp_site(root) as ftp:
        for number, base_url in enumerate((f"file://{root}", http, ftp)):
            assert client(root, base_url, tmp_path / f"target{number}").install("app") == CLOSURE
    verified = run(tmp_path, "verify", tmp_path / "site.tar.gz").stdout
    assert "intact" in verified


def test_client_files_work_as_they_lie_there(upstream: Upstream, tmp_path: Path) -> None:
    upstream.manifest()
    root = build(upstream)
    assert (root / "yum" / "local.repo").read_text().splitlines()[1:] == [
        "[local]",
        "name=Bundled packages for x86_64",
        "baseurl=file:///opt/yum/",
        "enabled=1",
        "gpgcheck=1",
        "gpgkey=file:///opt/yum/RPM-GPG-KEY-test",
    ]
    with http_site(root) as http:
        template = (root / "yum" / "http.repo.tmpl").read_text()
        installed = install_with(template.replace("@HOST@", http.removeprefix("http://")), tmp_path, "app")
    assert installed == CLOSURE


def install_with(repo_file: str, directory: Path, *packages: str) -> frozenset[str]:
    """Install with nothing but a .repo file, as yum and dnf read it from /etc/yum.repos.d."""
    repos = directory / "repos.d"
    repos.mkdir()
    (repos / "bundle.repo").write_text(repo_file)
    target = DnfClient(directory / "target", {})
    target.run(f"--setopt=reposdir={repos}", "install", *packages)
    return target.installed()


def test_groups_and_repodata_hold_what_is_in_the_bundle(upstream: Upstream, tmp_path: Path) -> None:
    upstream.manifest()
    root = build(upstream)
    target = client(root, f"file://{root}", tmp_path / "target")
    assert "Apps" in target.run("group", "info", "apps")
    assert "unrelated" not in target.run("group", "info", "apps")
    target.run("group", "install", "apps")
    assert target.installed() == CLOSURE


def test_building_twice_gives_the_same_bytes(upstream: Upstream, tmp_path: Path) -> None:
    upstream.manifest()
    root = build(upstream)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("site.yaml", "site.lock.json"):
        shutil.copy(tmp_path / name, elsewhere)
    shutil.copytree(upstream.rpms, elsewhere / "upstream")
    # the metadata may go their way: what is locked is fetched by its digest
    shutil.rmtree(elsewhere / "upstream" / "repodata")
    run(elsewhere, "build", "site.yaml", "-o", "again.tar.gz", "--locked", "--jobs", "1", TZ="Asia/Shanghai")
    assert sha256(elsewhere / "again.tar.gz") == sha256(tmp_path / "site.tar.gz")
    assert {path.stat().st_mtime for path in (root / "yum" / "repodata").iterdir()} == {1_650_000_000}


def test_a_bundle_can_be_rebuilt_from_itself(upstream: Upstream, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "minimal.txt").write_text("tool-1.0-1.noarch\ngpg-pubkey-f4a80eb5-53a7ff4b\n")
    upstream.manifest(more=", installed: lists/minimal.txt")
    root = build(upstream)
    assert rpms(root) == ["app-2.0-1.noarch.rpm", "lib-2.1-1.x86_64.rpm"]
    shutil.copy(root / "lock.json", root / "manifest.lock.json")
    run(tmp_path, "build", root / "manifest.yaml", "--locked", "-o", tmp_path / "again.tar.gz")
    assert sha256(tmp_path / "again.tar.gz") == sha256(tmp_path / "site.tar.gz")


def flip_last_byte(path: Path) -> None:
    """Damage a package's payload."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def refused(upstream: Upstream, code: int, error_id: str) -> str:
    """Build, which has to fail with that error and to leave nothing; returns what was said."""
    told = run(upstream.directory, "build", "site.yaml", "-o", "site.tar.gz", code=code).stderr
    assert f"[{error_id}]" in told
    assert "Traceback" not in told
    assert not (upstream.directory / "site.tar.gz").exists()
    assert not (upstream.directory / "site.lock.json").exists()
    return told


def test_a_flipped_byte_is_refused(upstream: Upstream) -> None:
    upstream.manifest()
    flip_last_byte(upstream.rpms / "lib-2.1-1.x86_64.rpm")
    told = refused(upstream, 5, "checksum-mismatch")
    assert "site.yaml:4:5: lib-1:2.1-1.x86_64 of repository test" in told


def test_a_flipped_byte_that_the_metadata_agree_with_is_refused(upstream: Upstream) -> None:
    upstream.manifest()
    flip_last_byte(upstream.rpms / "lib-2.1-1.x86_64.rpm")
    upstream.index()
    assert "lib-1:2.1-1.x86_64" in refused(upstream, 5, "rpm-signature-bad")


def unsigned(upstream: Upstream) -> None:
    """Replace the library by one that nobody signed."""
    build_rpms(upstream.rpms, [SPECS[2]])
    upstream.index()


def test_an_unsigned_package_is_refused(upstream: Upstream) -> None:
    upstream.manifest()
    unsigned(upstream)
    assert "lib-1:2.1-1.x86_64" in refused(upstream, 5, "rpm-unsigned")


def test_a_foreign_key_is_refused(upstream: Upstream) -> None:
    with signing_home() as home:
        (upstream.directory / "other.key").write_bytes(home.make_key("Other").public)
    upstream.manifest(repo="gpgkey: other.key")
    refused(upstream, 5, "rpm-key-unknown")


def test_packages_without_checked_signatures_are_told_apart_everywhere(upstream: Upstream, tmp_path: Path) -> None:
    unsigned(upstream)
    upstream.manifest(repo="gpgcheck: false")
    root = build(upstream)
    assert "gpgcheck: false" in run(tmp_path, "inspect", tmp_path / "site.tar.gz").stdout
    with pytest.raises(DnfError, match="not signed"):
        DnfClient(tmp_path / "strict", {"local": f"file://{root}/yum"}, upstream.rpms / "RPM-GPG-KEY-test").install(
            "app"
        )
    told = (root / "yum" / "local.repo").read_text().replace("file:///opt", f"file://{root}")
    assert "gpgcheck=1" not in told
    assert install_with(told, tmp_path, "app") == CLOSURE


def test_signed_and_unsigned_packages_install_side_by_side(upstream: Upstream, tmp_path: Path) -> None:
    """Each is held to what the client file says of it: the signed ones still have to be signed."""
    make_repository(tmp_path / "own", build_rpms(tmp_path / "own-rpms", [SpecLike("own", requires=("app",))]))
    upstream.manifest(
        repo="gpgkey: upstream/RPM-GPG-KEY-test}, {id: own, baseurl: own, gpgcheck: false", packages="[own]"
    )
    root = build(upstream)
    told = (root / "yum" / "local.repo").read_text().replace("file:///opt", f"file://{root}")
    assert install_with(told, tmp_path, "own") == CLOSURE | {"own-1.0-1.noarch"}
    # the checked section gives no unchecked package, and the other way round
    (tmp_path / "again").mkdir()
    only_checked = told.partition("[local-unchecked]")[0]
    with pytest.raises(DnfError, match="filtered out by exclude"):
        install_with(only_checked, tmp_path / "again", "own")


def test_an_unsatisfiable_wish_names_its_line_and_fetches_no_package(upstream: Upstream, tmp_path: Path) -> None:
    upstream.manifest(packages="[app, nothing-of-that-name]")
    told = refused(upstream, 3, "rpm-not-found")
    assert "site.yaml:4" in told
    assert "nothing-of-that-name" in told
    stored = [path.read_bytes()[:4] for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert stored
    assert b"\xed\xab\xee\xdb" not in stored


def test_upgrades_are_shown_as_old_and_new(upstream: Upstream, tmp_path: Path) -> None:
    upstream.manifest()
    run(tmp_path, "lock", "site.yaml")
    shutil.copy(tmp_path / "site.lock.json", tmp_path / "old.json")
    newer = build_rpms(upstream.rpms, [SpecLike("tool", version="1.1", files={"/usr/bin/tool": b"#!/bin/sh\n"})])
    sign(newer, upstream.key)
    upstream.index()
    assert "nothing changed" in run(tmp_path, "lock", "site.yaml").stdout
    told = json.loads(run(tmp_path, "lock", "site.yaml", "--update", "tool", "--json").stdout)
    changes = [(change["name"], change["old"]["version"], change["new"]["version"]) for change in told["changes"]]
    assert changes == [("yum/tool.noarch", "1.0-1", "1.1-1")]
    assert "1.0-1" in run(tmp_path, "diff", "old.json", "site.lock.json").stdout


def versions(directory: Path) -> dict[str, str]:
    """Return name -> full name of the packages in the lock."""
    [entry] = json.loads((directory / "site.lock.json").read_text())["entries"]
    return {item["nevra"].split("-")[0]: item["nevra"] for item in entry["artifacts"] if item["type"] == "package"}


def test_locking_again_moves_what_is_asked_for_and_what_must(upstream: Upstream, tmp_path: Path) -> None:
    upstream.manifest()
    run(tmp_path, "lock", "site.yaml")
    first = versions(tmp_path)
    newer = (
        SpecLike("app", version="2.5", requires=("lib >= 2", "/usr/bin/tool")),
        SpecLike("lib", version="2.2", epoch=1, arch="x86_64"),
        SpecLike("tool", version="1.1", files={"/usr/bin/tool": b"#!/bin/sh\n"}),
        SpecLike("needy", requires=("tool >= 1.1",)),
    )
    sign(build_rpms(upstream.rpms, newer), upstream.key)
    upstream.index()
    # what is kept is in the store, and only listed upstream
    (upstream.rpms / "lib-2.1-1.x86_64.rpm").unlink()
    run(tmp_path, "lock", "site.yaml", "--update", "app")
    assert versions(tmp_path) == {**first, "app": "app-2.5-1.noarch"}

    upstream.manifest(packages="[app, unrelated]")
    run(tmp_path, "lock", "site.yaml")
    second = {**first, "app": "app-2.5-1.noarch", "unrelated": "unrelated-1.0-1.noarch"}
    assert versions(tmp_path) == second

    upstream.manifest(packages="[app, unrelated, needy]")
    run(tmp_path, "lock", "site.yaml")
    assert versions(tmp_path) == {**second, "needy": "needy-1.0-1.noarch", "tool": "tool-1.1-1.noarch"}

    run(tmp_path, "lock", "site.yaml", "--update", "yum")
    assert versions(tmp_path)["lib"] == "lib-1:2.2-1.x86_64"


def test_a_second_build_fetches_nothing(upstream: Upstream, tmp_path: Path) -> None:
    upstream.manifest()
    run(tmp_path, "build", "site.yaml")
    shutil.rmtree(upstream.rpms)
    told = json.loads(run(tmp_path, "plan", "site.yaml", "--json").stdout)
    assert told["fetch_bytes"] == 0
    run(tmp_path, "build", "site.yaml", "-o", "again.tar.gz")
    assert sha256(tmp_path / "again.tar.gz") == sha256(tmp_path / "site.tar.gz")
