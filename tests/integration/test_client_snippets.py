"""The snippets of a mirror, each in real use: dnf over HTTP and FTP, curl, and images into a Docker engine."""

from __future__ import annotations

import functools
import os
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from bundler.archive.bundle_root import BundleRoot
from mirror.client.offer import OfferPart, offer_in
from mirror.client.reach import Reach, Snippet
from mirror.client.snippets import client_snippets
from mirror.tree.site_loading import load_site
from tests.fakes.certificates import authority
from tests.integration.cutting_server import cutting
from tests.integration.demo_bundle import demo_bundle
from tests.integration.docker_engine import DockerEngine, docker_engine
from tests.integration.file_servers import ftp_site
from tests.integration.nginx import Nginx, nginx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.integration

SHELLS = ("dash", "busybox sh", "bash")
LONGEST_S = 60
USER, SECRET = "edge", "s3cret"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    with docker_engine(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture
def emptied(engine: DockerEngine) -> DockerEngine:
    """The engine without any image."""
    return engine.emptied()


def snippets_of(tree: Path, reach: Reach) -> dict[str, Snippet]:
    descriptor = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
    try:
        offer = offer_in(load_site(BundleRoot(descriptor, tree), (), parts=(OfferPart(),)))
    finally:
        os.close(descriptor)
    return {snippet.name: snippet for snippet in client_snippets(offer, reach)}


def published(tree: Path, server: Nginx, *, login: bool = False) -> dict[str, Snippet]:
    """Write the snippets of an HTTP server to where it serves them."""
    parts = urlsplit(server.url)
    made = snippets_of(tree, Reach(str(parts.hostname), server.port, parts.scheme == "https", None, login))
    for name, snippet in made.items():
        (server.client / name).write_text(snippet.text)
    return made


def ftp_reach(url: str) -> Reach:
    parts = urlsplit(url)
    return Reach(str(parts.hostname), None, False, parts.port)


def run(
    text: str, cwd: Path, variables: Mapping[str, str] | None = None, shell: str = "sh", *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Hand a text to a shell, as a person who types it, or a pipe, does."""
    return subprocess.run(
        [*shell.split(), "-s", "--", *arguments],
        input=text,
        cwd=cwd,
        env={**os.environ, "HOME": str(cwd), "no_proxy": "*", **(variables or {})},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


def yum_of(root: Path) -> str:
    """Make a `yum` that works on a root of its own, and return the PATH where it is found."""
    (root / "bin").mkdir(parents=True)
    (root / "repos").mkdir()
    command = (
        f"exec dnf -y --noplugins --installroot={root / 'system'} --releasever=8 --setopt=reposdir={root / 'repos'} "
        "--setopt=tsflags=noscripts --setopt=skip_if_unavailable=0 --setopt=timeout=20"
    )
    (root / "bin" / "yum").write_text(f'#!/bin/sh\n{command} "$@"\n')
    (root / "bin" / "yum").chmod(0o755)
    return f"{root / 'bin'}:{os.environ['PATH']}"


def typed(snippet: Snippet, root: Path) -> str:
    """Return the commands as typed on a system that lies in `root`."""
    return snippet.text.replace("/etc/yum.repos.d", str(root / "repos"))


def installs(root: Path, path: str) -> None:
    done = run("yum install demo-agent", root, {"PATH": path})
    assert done.returncode == 0, done.stdout + done.stderr
    # Debian's rpm has its database below HOME
    listed = run(f"rpm --root={root / 'system'} -qa", root).stdout
    assert "demo-agent-2.0-1.x86_64" in listed
    assert "gpg-pubkey" in listed


def test_the_repo_file_over_http_is_put_in_place_and_installs(tree: Path, tmp_path: Path) -> None:
    path = yum_of(tmp_path)
    with nginx(tree, tmp_path) as server:
        made = published(tree, server)
        done = run(typed(made["yum-http.sh"], tmp_path), tmp_path, {"PATH": path})
        assert done.returncode == 0, done.stdout + done.stderr
        assert "demo-agent.x86_64" in done.stdout
        assert (tmp_path / "repos" / "bundle.repo").read_text() == made["yum-http.repo"].text
        installs(tmp_path, path)


def test_the_repo_file_over_ftp_is_put_in_place_and_installs(tree: Path, tmp_path: Path) -> None:
    path = yum_of(tmp_path)
    with ftp_site(tree) as url:
        made = snippets_of(tree, ftp_reach(url))
        done = run(typed(made["yum-ftp.sh"], tmp_path), tmp_path, {"PATH": path})
        assert done.returncode == 0, done.stdout + done.stderr
        assert "demo-agent.x86_64" in done.stdout
        installs(tmp_path, path)
    shutil.rmtree(tree.with_name(f"{tree.name}.vsftpd"))


def test_the_finished_repo_file_over_ftp_installs(tree: Path, tmp_path: Path) -> None:
    path = yum_of(tmp_path)
    with ftp_site(tree) as url:
        (tmp_path / "repos" / "bundle.repo").write_text(snippets_of(tree, ftp_reach(url))["yum-ftp.repo"].text)
        installs(tmp_path, path)
    shutil.rmtree(tree.with_name(f"{tree.name}.vsftpd"))


def test_a_tampered_package_is_not_installed(tree: Path, tmp_path: Path) -> None:
    """The .repo file checks signatures: a package that another key signed, in metadata that fit it, is refused."""
    path = yum_of(tmp_path)
    with nginx(tree, tmp_path) as server:
        text = published(tree, server)["yum-http.repo"].text
        other = authority(tmp_path).file.rename(server.client / "other.asc")
        key = f"gpgkey={server.url}/yum/RPM-GPG-KEY-demo"
        assert key in text
        text = text.replace(key, f"gpgkey={server.url}/-/client/{other.name}")
        (tmp_path / "repos" / "bundle.repo").write_text(text)
        done = run("yum install demo-agent", tmp_path, {"PATH": path})
    assert done.returncode != 0
    assert "key" in (done.stdout + done.stderr).lower()


def test_with_tls_and_login_what_the_remarks_say_is_enough(tree: Path, tmp_path: Path) -> None:
    path = yum_of(tmp_path)
    trusted = authority(tmp_path)
    trusted.server_context("127.0.0.1")
    (chain,) = tmp_path.glob(f"{trusted.file.stem}-*.pem")
    with nginx(tree, tmp_path, chain=chain, users={USER: SECRET}) as server:
        made = published(tree, server, login=True)
        (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {SECRET}\n")
        (tmp_path / ".netrc").chmod(0o600)
        place = typed(made["yum-http.sh"], tmp_path).partition("yum --disablerepo")[0]
        done = run(place, tmp_path, {"CURL_CA_BUNDLE": str(trusted.file)})
        assert done.returncode == 0, done.stderr
        placed = tmp_path / "repos" / "bundle.repo"
        assert placed.stat().st_mode & 0o777 == 0o600
        text = placed.read_text().replace("@NAME@", USER).replace("@PASSWORD@", SECRET)
        placed.write_text(text.replace("enabled=1", f"enabled=1\nsslcacert={trusted.file}"))
        installs(tmp_path, path)
        script = run(made["bundle-http.sh"].text, tmp_path, {"CURL_CA_BUNDLE": str(trusted.file)})
    assert script.stdout.endswith("complete\n"), script.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_one_file_and_the_whole_bundle_over_http(shell: str, tree: Path, tmp_path: Path) -> None:
    with nginx(tree, tmp_path) as server:
        made = published(tree, server)
        one = run(made["file-http.sh"].text, tmp_path, None, shell)
        assert one.returncode == 0, one.stderr
        assert ": OK" in one.stdout
        whole = run(made["bundle-http.sh"].text, tmp_path, None, shell)
    assert whole.stdout.endswith("complete\n"), whole.stderr
    fetched = tmp_path / "bundle"
    assert {path.relative_to(fetched) for path in fetched.rglob("*")} == {
        path.relative_to(tree) for path in tree.rglob("*")
    }


def test_one_file_and_the_whole_bundle_over_ftp(tree: Path, tmp_path: Path) -> None:
    with ftp_site(tree) as url:
        made = snippets_of(tree, ftp_reach(url))
        one = run(made["file-ftp.sh"].text, tmp_path)
        whole = run(made["bundle-ftp.sh"].text, tmp_path)
    shutil.rmtree(tree.with_name(f"{tree.name}.vsftpd"))
    assert ": OK" in one.stdout
    assert whole.stdout.endswith("complete\n"), whole.stderr


def test_the_whole_bundle_is_not_complete_when_a_byte_differs(tree: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tree, copy)
    (copy / "docs" / "notes.txt").write_bytes(b"other")
    with nginx(copy, tmp_path) as server:
        done = run(published(tree, server)["bundle-http.sh"].text, tmp_path)
    assert done.returncode != 0
    assert "docs/notes.txt: FAILED" in done.stdout


def test_paths_that_urls_do_not_take_as_they_are(tmp_path: Path) -> None:
    """Blanks, quotes, percent signs and letters of other scripts, through the sed of the snippet."""
    from mirror.client.curl import curl_snippets
    from tests.unit.mirror.sites import index_of, offer_from

    names = ["a b/c.txt", "50% #1?.txt", 'say "x".txt', "文件/[1]{2}.txt"]
    tree = tmp_path / "odd"
    contents = {name: name.encode() for name in names}
    for name, data in contents.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(data)
    sums = "".join(f"{file.blob.digest.hex}  {file.path}\n" for file in index_of(contents).files)
    (tree / "SHA256SUMS").write_text(sums)
    with nginx(tree, tmp_path) as server:
        reach = Reach("127.0.0.1", server.port, False, None)
        made = {snippet.name: snippet for snippet in curl_snippets(offer_from(index_of(contents)), reach)}
        done = run(made["bundle-http.sh"].text, tmp_path)
        one = run(made["file-http.sh"].text, tmp_path)
    assert done.stdout.endswith("complete\n"), done.stderr
    assert ": OK" in one.stdout, one.stderr


def fetch_images(
    text: str, engine: DockerEngine, cwd: Path, *arguments: str, shell: str = "sh", **variables: str
) -> subprocess.CompletedProcess[str]:
    temporary = cwd / "tmp"
    temporary.mkdir(exist_ok=True)
    done = run(text, cwd, {**engine.environment, "TMPDIR": str(temporary), **variables}, shell, *arguments)
    assert list(temporary.iterdir()) == []
    return done


def blobs_of(tree: Path, name: str) -> list[str]:
    """Return the hex digests of what one image for amd64 is made of: manifest, config, layers."""
    table = (tree / "k8simage" / "images.tsv").read_text()
    line = next(line for line in table.splitlines() if name in line and line.startswith("linux/amd64"))
    _, config, manifest, *_, layers = line.split("\t")
    return [digest.removeprefix("sha256:") for digest in (manifest, config, *layers.split())]


def images(engine: DockerEngine) -> set[str]:
    listed = engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    return {name.partition("/")[2] if ":" in name.partition("/")[0] else name for name in listed}


@pytest.mark.parametrize("shell", SHELLS)
def test_one_image_without_a_registry(shell: str, tree: Path, emptied: DockerEngine, tmp_path: Path) -> None:
    with nginx(tree, tmp_path) as server:
        text = published(tree, server)["fetch-images.sh"].text
        done = fetch_images(text, emptied, tmp_path, "--only", "*pause*", shell=shell)
        assert done.returncode == 0, done.stdout + done.stderr
        assert images(emptied) == {"demo/pause:3.5", "kubeedge/pause:3.5"}
        blobs = [line.split()[1].rpartition("/")[2] for line in server.requests() if "/blobs/" in line]
    assert sorted(blobs) == sorted(blobs_of(tree, "pause"))


def test_the_documented_pipe_loads_all_images_of_this_platform(
    tree: Path, emptied: DockerEngine, tmp_path: Path
) -> None:
    with nginx(tree, tmp_path) as server:
        last = published(tree, server)["docker-images.sh"].text.splitlines()[-1]
        done = run(f"{last} </dev/null\n".replace(" </dev/null", ""), tmp_path, emptied.environment)
        assert done.returncode == 0, done.stdout + done.stderr
        assert images(emptied) == {"demo/hello:1.0", "demo/pause:3.5", "kubeedge/pause:3.5", "demo/greeter:2.1"}
        fetched = len([line for line in server.requests() if "/blobs/" in line])
        again = run(last, tmp_path, emptied.environment)
        assert again.returncode == 0
        assert again.stdout.count(": present") == 3
        assert len([line for line in server.requests() if "/blobs/" in line]) == fetched


def test_images_over_ftp_and_with_wget_alone(tree: Path, emptied: DockerEngine, tmp_path: Path) -> None:
    with ftp_site(tree) as url:
        text = snippets_of(tree, ftp_reach(url))["fetch-images.sh"].text
        done = fetch_images(text, emptied, tmp_path, "--only=*hello*")
        assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(tree.with_name(f"{tree.name}.vsftpd"))
    with nginx(tree, tmp_path) as server:
        text = published(tree, server)["fetch-images.sh"].text
        only_wget = text.replace("command -v curl", "command -v no-curl-here")
        done = fetch_images(only_wget, emptied, tmp_path, "--only", "*pause*")
        assert done.returncode == 0, done.stdout + done.stderr
    assert {"demo/hello:1.0", "demo/pause:3.5"} <= images(emptied)


def test_other_platforms_and_containerd_are_passed_through(tree: Path, emptied: DockerEngine, tmp_path: Path) -> None:
    with nginx(tree, tmp_path) as server:
        text = published(tree, server)["fetch-images.sh"].text
        run_it = functools.partial(fetch_images, text, emptied, tmp_path)
        listed = run_it("--list")
        assert listed.stdout.count("\n") == 4
        assert images(emptied) == set()
        other = run_it("--platform", "linux/arm64")
        assert other.returncode == 0, other.stderr
        assert images(emptied) == {"demo/hello:1.0"}
        imported = run_it("--containerd", "--only", "*greeter*")
        assert imported.returncode == 0, imported.stderr
        names = subprocess.run(
            ["ctr", "-n", "k8s.io", "images", "ls", "-q"],
            env=emptied.environment, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    assert "demo/greeter:2.1" in names


def test_a_blob_of_other_bytes_is_never_loaded(tree: Path, emptied: DockerEngine, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tree, copy)
    layer = copy / "k8simage" / "blobs" / "sha256" / blobs_of(tree, "hello")[-1]
    layer.write_bytes(layer.read_bytes()[:-1] + b"!")
    with nginx(copy, tmp_path) as server:
        done = fetch_images(published(tree, server)["fetch-images.sh"].text, emptied, tmp_path)
    assert done.returncode == 1
    assert f"blobs/sha256/{layer.name} has sha256" in done.stderr
    assert "not loaded: " in done.stderr
    assert images(emptied) == {"demo/pause:3.5", "kubeedge/pause:3.5", "demo/greeter:2.1"}


def test_a_blob_that_never_comes_whole_spoils_no_other(tree: Path, emptied: DockerEngine, tmp_path: Path) -> None:
    with cutting(tree, blobs_of(tree, "hello")[-1]) as port:
        text = snippets_of(tree, Reach("127.0.0.1", port, False, None))["fetch-images.sh"].text
        done = fetch_images(text, emptied, tmp_path)
    assert done.returncode == 1
    assert "did not come (attempt 3 of 3)" in done.stderr
    assert "has sha256" not in done.stderr
    assert images(emptied) == {"demo/pause:3.5", "kubeedge/pause:3.5", "demo/greeter:2.1"}


def test_what_cannot_be_done_is_said(tree: Path, emptied: DockerEngine, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    text = snippets_of(tree, Reach("127.0.0.1", port, False, None))["fetch-images.sh"].text
    nobody = fetch_images(text, emptied, tmp_path)
    assert nobody.returncode == 1
    assert f"no bundle can be fetched from http://127.0.0.1:{port}" in nobody.stderr
    with nginx(tree, tmp_path) as server:
        text = published(tree, server)["fetch-images.sh"].text
        assert fetch_images(text, emptied, tmp_path, "--frob").returncode == 2
        nothing = fetch_images(text, emptied, tmp_path, "--only", "nothing-like-it")
        assert nothing.returncode == 1
        assert "no image matches" in nothing.stderr
        no_engine = fetch_images(text, emptied, tmp_path, DOCKER_HOST="unix:///nonexistent")
        assert "the Docker engine does not answer" in no_engine.stderr
        half = "\n".join(text.splitlines()[:-1])
        assert fetch_images(half, emptied, tmp_path).stdout == ""


def test_an_ipv6_mirror(tree: Path, tmp_path: Path) -> None:
    with nginx(tree, tmp_path, family=socket.AF_INET6) as server:
        made = published(tree, server)
        done = run(made["bundle-http.sh"].text, tmp_path)
    assert server.url.startswith("http://[::1]:")
    assert done.stdout.endswith("complete\n"), done.stderr
