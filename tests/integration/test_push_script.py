"""push.sh of a bundle: through a real Docker engine into real registries, by every shell that a host may have."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from bundler.model.image.site_name import site_name
from bundler.model.image.table import named_like, read_images_table
from bundler.model.reference import Reference
from tests.integration.docker_engine import DockerEngine, docker_engine
from tests.integration.harbor_front import harbor_front
from tests.integration.placed_images import AMD64, ARM64, PlacedImages, place_images
from tests.integration.push_script import SHELLS, held, push, tags
from tests.integration.registries import Registry, htpasswd_registry, plain_registry, token_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

APP, TOOL, EDGE, PAUSE = (
    "docker.io/demo/app:1",
    "quay.io/some/deep/tool:v2",
    "library/edge:1",
    "registry.k8s.io/pause:3.5",
)
ALIAS = "k8s.gcr.io/alias:9"
AWKWARD_PASSWORD = "a\"b\\c d:$e`'%s"
HOSTS = ("docker.io", "quay.io", "registry.example:5000", "[2001:db8::1]:5000", "localhost", "127.0.0.1:5000")
PATHS = ("library/edge", "pause", "demo/app", "some/deep/tool", "a/b/c/d/e", "under__score/a-b.c", "k8s/k8s", "x--y/z")
ENDS = (":1", ":v0.14.0", ":latest", ":T_x-Y.0", f"@sha256:{'0' * 64}")
GLOBS = (
    "edge:0", "library/edge:1", "docker.io/library/edge:0", "library/*", "*/pause:1", "pause:*", "quay.io/*",
    "demo/app:[!1]*", "*app*", "k8s/k8s:?", "localhost/*", "127.0.0.1:5000/*", "some/*", "nothing*", "[ab]*",
    "library/alias:9",
)  # fmt: skip
NAMES = tuple(host + "/" + path + end for host in HOSTS for path in PATHS for end in ENDS)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    with docker_engine(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> PlacedImages:
    wishes = {APP: (AMD64, ARM64), TOOL: (AMD64,), f"docker.io/{EDGE}": (ARM64,), PAUSE: (AMD64,)}
    return place_images(tmp_path_factory.mktemp("made"), wishes, {"app": ALIAS})


@pytest.fixture(scope="module")
def directory(images: PlacedImages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("a tree with spaces")
    images.write(root)
    return root / "k8simage"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with plain_registry(tmp_path / "registry") as running:
        yield running


@pytest.fixture
def emptied(engine: DockerEngine) -> DockerEngine:
    """The engine without any image."""
    return engine.emptied()


def tabled(directory: Path, *names: str) -> Path:
    """Write a directory with nothing but the scripts and a table of images with these names, one each."""
    directory.mkdir()
    lines = []
    for number, name in enumerate(names):
        digest = f"sha256:{number:064x}"
        lines.append(f"linux/amd64\t{digest}\t{digest}\t1\ttype\t{digest}\t1\t{name}\t-" + "\n")
    (directory / "images.tsv").write_text("#platform\n" + "".join(lines))
    return directory


def with_scripts(directory: Path, source: Path) -> Path:
    for script in ("load.sh", "push.sh"):
        shutil.copy2(source / script, directory)
    return directory


@pytest.mark.parametrize("shell", SHELLS)
def test_every_image_is_pushed_under_its_site_names(
    shell: str, directory: Path, images: PlacedImages, emptied: DockerEngine, registry: Registry
) -> None:
    done = push(directory, emptied, registry.host, shell=shell)
    assert done.returncode == 0, done.stderr
    app = images.ids[APP]["linux/amd64"]
    expected = {
        "demo/app:1": app,
        "library/alias:9": app,
        "some/deep/tool:v2": images.ids[TOOL]["linux/amd64"],
        "library/pause:3.5": images.ids[PAUSE]["linux/amd64"],
    }
    assert {name: held(registry, name) for name in expected} == expected
    assert f"{ALIAS}: pushed as {registry.host}/library/alias:9" in done.stdout
    assert not [line for line in registry.requests() if "edge" in line], "another platform's image"
    # as load.sh leaves it
    assert tags(emptied) == ["demo/app:1", ALIAS, "quay.io/some/deep/tool:v2", PAUSE]


def test_below_one_project_and_another_platform(
    directory: Path, images: PlacedImages, emptied: DockerEngine, registry: Registry
) -> None:
    done = push(directory, emptied, "--platform=linux/arm64", "--only", "*app*", "--only=edge:*", registry.host, "k8s")
    assert done.returncode == 0, done.stderr
    app = images.ids[APP]["linux/arm64"]
    expected = {"k8s/app:1": app, "k8s/alias:9": app, "k8s/edge:1": images.ids[f"docker.io/{EDGE}"]["linux/arm64"]}
    assert {name: held(registry, name) for name in expected} == expected
    assert not [line for line in registry.requests() if "tool" in line]


def test_a_failure_does_not_stop_the_rest(
    directory: Path, emptied: DockerEngine, registry: Registry, tmp_path: Path
) -> None:
    copy = tmp_path / "k8simage"
    shutil.copytree(directory, copy)
    archive = json.loads((copy / "manifest.json").read_text())
    (copy / next(item["Layers"][-1] for item in archive if APP in item["RepoTags"])).write_bytes(b"damaged")
    emptied.docker("import", "/dev/null", "demo/app:1")
    done = push(copy, emptied, registry.host)
    assert done.returncode == 1
    assert "not loaded: docker.io/demo/app:1" in done.stderr
    held(registry, "some/deep/tool:v2")
    held(registry, "library/pause:3.5")
    assert not [line for line in registry.requests() if "/app/" in line], "the stranger of that name stays here"


def test_after_a_login(directory: Path, engine: DockerEngine, tmp_path: Path) -> None:
    with htpasswd_registry(tmp_path / "locked", "admin", AWKWARD_PASSWORD) as registry:
        refused = push(directory, engine, "--only=*pause*", registry.host)
        assert (refused.returncode, f"not done: {PAUSE}" in refused.stderr) == (1, True), refused.stderr
        subprocess.run(
            ["docker", "login", "-u", "admin", "--password-stdin", registry.host],
            input=AWKWARD_PASSWORD, env=engine.environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        assert push(directory, engine, "--only=*pause*", registry.host).returncode == 0
        engine.docker("logout", registry.host)


@pytest.mark.parametrize("shell", SHELLS)
def test_an_engine_that_does_not_answer(shell: str, directory: Path, engine: DockerEngine) -> None:
    done = push(directory, engine, "master:443", shell=shell, DOCKER_HOST="unix:///nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == "push.sh: not done: (load.sh)"
    assert "the Docker engine does not answer" in done.stderr
    assert "nonexistent" not in done.stderr
    assert "No such file" not in done.stderr


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("project", ["", "kube-edge"])
def test_names_are_those_of_the_tool(
    shell: str, project: str, directory: Path, engine: DockerEngine, tmp_path: Path
) -> None:
    place = with_scripts(tabled(tmp_path / "k8simage", " ".join(NAMES)), directory)
    arguments = ["--dry-run", "master:443", *([project] if project else [])]
    done = push(place, engine, *arguments, shell=shell, DOCKER_HOST="unix:///nowhere")
    assert done.returncode == 0, done.stderr
    shown = dict(line.split("\t") for line in done.stdout.splitlines())
    names = {name: site_name(Reference.parse(name)) for name in NAMES}
    below = {name: f"{project}/{full.rpartition('/')[2]}" if project else full for name, full in names.items()}
    assert shown == {name: f"master:443/{target}" for name, target in below.items()}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("script", ["load.sh", "push.sh"])
def test_only_chooses_the_images_that_the_tool_chooses(
    script: str, shell: str, directory: Path, tmp_path: Path
) -> None:
    # an image for each row, all of different names on the site; the last one has two names
    names = [f"{host}/{path}:{number}" for number, host in enumerate(HOSTS) for path in PATHS if "/" in path]
    place = with_scripts(tabled(tmp_path / "k8simage", *names, f"{ALIAS} docker.io/library/other:1"), directory)
    images = read_images_table((place / "images.tsv").read_bytes())
    arguments = ["--list"] if script == "load.sh" else ["--dry-run", "master:443"]
    chosen_by = {}
    for glob in GLOBS:
        command = [*shell.split(), str(place / script), "--only", glob, *arguments]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0 or "no image matches" in done.stderr, done.stderr
        chosen_by[glob] = set(done.stdout.split()) & {*names, ALIAS, "docker.io/library/other:1"}
    assert chosen_by == {
        glob: {str(name) for image in images if named_like(image, [glob]) for name in image.names} for glob in GLOBS
    }
    assert {len(names) for names in chosen_by.values()} > {0, 2}


@pytest.mark.parametrize("shell", SHELLS)
def test_two_images_on_one_name_are_refused(
    shell: str, directory: Path, engine: DockerEngine, registry: Registry, tmp_path: Path
) -> None:
    place = with_scripts(tabled(tmp_path / "k8simage", "quay.io/a/app:1", "ghcr.io/b/app:1 quay.io/x:1"), directory)
    done = push(place, engine, registry.host, "k8s", shell=shell)
    assert done.returncode == 1
    first, second = (f"sha256:{number:064x}" for number in (0, 1))
    assert done.stderr.splitlines()[:2] == [
        f"  k8s/app:1 would be quay.io/a/app:1 ({first})",
        f"  k8s/app:1 would be ghcr.io/b/app:1 ({second})",
    ]
    assert "nothing was sent" in done.stderr
    assert done.stdout == ""
    assert registry.requests() == ()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "REGISTRY is missing"),
        (["master"], 2, "docker takes 'master' for a name on Docker Hub; write master:443"),
        (["https://master.example"], 2, "is not HOST or HOST:PORT"),
        (["a b.example"], 2, "is not HOST or HOST:PORT"),
        (["m.example", "Upper"], 2, "cannot be a project"),
        (["m.example", "two--dashes"], 2, "cannot be a project"),
        (["m.example", "a", "b"], 2, "unexpected argument 'b'"),
        (["--all", "m.example"], 2, "unknown argument '--all'"),
        (["--only"], 2, "--only needs a value"),
        (["--only=nothing*", "m.example"], 1, "no image matches"),
    ],
)
@pytest.mark.parametrize("shell", SHELLS)
def test_wrong_arguments(
    shell: str, arguments: list[str], status: int, said: str, directory: Path, engine: DockerEngine
) -> None:
    done = push(directory, engine, *arguments, shell=shell, DOCKER_HOST="unix:///nowhere")
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr


@dataclass(slots=True)
class ProjectsApi:
    """What answers as Harbor's projects API: a project that it has is 409, a name it refuses 400, another 201."""

    url: str
    projects: list[str]
    asked: list[tuple[str, Any]] = field(default_factory=list)


@contextmanager
def projects_api(*projects: str) -> Iterator[ProjectsApi]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            api.asked.append((self.headers["Authorization"], body))
            name = body["project_name"]
            status = 409 if name in api.projects else 403 if name == "some" else 201
            said = json.dumps({"errors": [{"code": "X", "message": f"told of {name}"}]}).encode()
            self.send_response(status if self.path == "/api/v2.0/projects" else 404)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api = ProjectsApi(f"http://127.0.0.1:{server.server_address[1]}", list(projects))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("shell", SHELLS)
def test_missing_projects_are_created(shell: str, directory: Path, engine: DockerEngine, registry: Registry) -> None:
    with projects_api("library") as api:
        done = push(
            directory, engine, registry.host, shell=shell,
            HARBOR_URL=api.url, HARBOR_USER="admin", HARBOR_PASSWORD=AWKWARD_PASSWORD, HARBOR_PUBLIC="false",
        )  # fmt: skip
    login = "Basic " + base64.b64encode(f"admin:{AWKWARD_PASSWORD}".encode()).decode()
    asked = {body["project_name"]: (body["metadata"], sent) for sent, body in api.asked}
    assert asked == dict.fromkeys(("demo", "library", "some"), ({"public": "false"}, login))
    assert "project demo: created" in done.stdout
    assert "project library: present" in done.stdout
    assert (done.returncode, "told of some" in done.stderr) == (1, True), done.stderr
    held(registry, "demo/app:1")
    assert AWKWARD_PASSWORD not in done.stdout + done.stderr


def test_projects_that_are_there_need_no_right_to_create_any(
    directory: Path, engine: DockerEngine, tmp_path: Path
) -> None:
    with (
        token_registry(tmp_path / "registry", {"admin": "s3cret"}) as tokens,
        harbor_front(tokens, projects={"demo", "library", "some"}, creators=frozenset()) as harbor,
    ):
        engine.docker("login", "--username", "admin", "--password", "s3cret", harbor.host)
        done = push(
            directory, engine, harbor.host,
            HARBOR_URL=f"http://{harbor.host}", HARBOR_USER="admin", HARBOR_PASSWORD="s3cret",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.count(": present") >= 3
        assert not [line for line in harbor.requests if line.startswith("POST")]


def test_the_password_is_in_no_argument_and_no_child_s_environment(
    directory: Path, emptied: DockerEngine, registry: Registry, tmp_path: Path
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("curl", "docker", "sed", "tar"):
        spy = programs / name
        real = shutil.which(name, path=emptied.environment["PATH"])
        spy.write_text(f'#!/bin/sh\n{{ printf "%s\\n" "$0" "$@"; env; }} >>{tmp_path}/seen\nexec {real} "$@"\n')
        spy.chmod(0o755)
    with projects_api() as api:
        push(
            directory, emptied, "--only=*pause*", registry.host, PATH=f"{programs}:{emptied.environment['PATH']}",
            HARBOR_URL=api.url, HARBOR_USER="admin", HARBOR_PASSWORD="s3cret-word",
        )  # fmt: skip
    seen = (tmp_path / "seen").read_text()
    assert all(f"{programs}/{name}\n" in seen for name in ("curl", "docker", "sed", "tar"))
    assert "s3cret-word" not in seen
    assert len(api.asked) == 1
