"""A service whose runtime is that of the active bundle, on a booted host: same process, and no request is lost."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bundler.archive.bundle_root import directory_name
from bundler.archive.checked_index import check_index
from bundler.model.about import ImageAbout
from bundler.model.bundle import INDEX_PATH
from bundler.model.progress import Unwatched
from tests.hosts.stage import HostPlan, Stage, stage
from tests.integration.carried_demo import asked, build_demo_with_runtime
from tests.integration.mirror_program import PROGRAM, eventually, mirror
from tests.integration.steady_downloads import downloading
from tests.sources import unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from bundler.model.bundle import IndexedFile
    from tests.hosts.nspawn_host import NspawnHost
    from tests.integration.ready_runtime import ReadyRuntime
    from tests.integration.steady_downloads import SteadyDownloads

# hosts take memory: a module of each of two groups has them at a time, `hosts` and `site`
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("hosts")]
UNIT = "kubeedge-mirror.service"
LONG_S = 300
SMALL = ("docs/notes.txt", "bin/mirror", "yum/repodata/repomd.xml")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory, runtime: ReadyRuntime) -> Path:
    """A directory with two archives that bring a runtime each, and the tree of the second one."""
    directory = tmp_path_factory.mktemp("carried")
    manifests = {"one.tar.gz": "", "two.tar.gz": "# the next one\n"}
    build_demo_with_runtime(directory, runtime, manifests)
    unpack(directory / "two.tar.gz", directory / "two", Unwatched())
    return directory


@pytest.fixture(scope="module")
def site(bundles: Path) -> Iterator[Stage]:
    with stage(HostPlan("master")) as made:
        (master,) = made.hosts
        master.copy_in(bundles / "one.tar.gz", "/root/one.tar.gz")
        master.start()
        master.sh("tar -zxf /root/one.tar.gz -C /opt")
        yield made


class Service:
    """The mirror's service on a host, as systemd and its clients see it."""

    def __init__(self, site: Stage) -> None:
        (self.host,) = site.hosts
        self._site = site

    def shown(self, name: str) -> str:
        """Return a property that systemd has of it."""
        return self.host.sh(f"systemctl show --property {name} --value {UNIT}").strip()

    def runs_from(self, directory: str) -> bool:
        """Tell whether its process is the Python of a bundle, which has told systemd that it is ready."""
        program = self.host.run("readlink", f"/proc/{self.shown('MainPID')}/exe").stdout
        states = (self.shown("ActiveState"), self.shown("SubState"))
        return program.startswith(f"{directory}/runtime/") and states == ("active", "running")

    def serves(self, bundle_id: str) -> bool:
        """Tell whether all is well, which turns health green, and a bundle is the one at `/`."""
        answer = asked(self._site, f"http://{self.host.address}:8088/-/health")
        served = asked(self._site, f"http://{self.host.address}:8088/bundle.json")
        return bool(answer) and json.loads(answer)["complete"] and check_index(served.encode(), "it").id == bundle_id


def is_taken_over(service: Service, clients: SteadyDownloads, directory: str, bundle_id: str, pid: str) -> None:
    """Wait until a bundle's mirror is the service, and look at what everybody sees of that."""
    eventually(partial(service.runs_from, directory), f"the service runs from {directory}")
    before = clients.counts()
    eventually(partial(clients.went_on_since, before), "the clients get further files")
    eventually(partial(service.serves, bundle_id), f"{directory} is served, and health is green")
    assert service.shown("MainPID") == pid
    assert service.shown("NRestarts") == "0"
    assert service.host.run("systemctl", "status", UNIT).code == 0
    assert service.host.run("systemctl", "is-failed", UNIT).stdout.strip() == "active"


def in_registry(files: Iterable[IndexedFile]) -> dict[str, str]:
    """Return what the registry has of some files, names and layers: the path below `/` and the hex SHA-256 of each."""
    found: dict[str, str] = {}
    for file in files:
        if isinstance(file.about, ImageAbout):
            (image, *_), digest = file.about.images, file.blob.digest
            if file.about.top is not None:
                found[f"v2/{image.path}/manifests/{image.tag}"] = digest.hex
            elif file.about.media_type.endswith("gzip"):
                found[f"v2/{image.path}/blobs/{digest}"] = digest.hex
    assert {path.split("/")[-2] for path in found} == {"manifests", "blobs"}
    return found


def nobody_runs_from(host: NspawnHost, directory: str) -> None:
    """Wait until no process has anything below a directory in memory."""
    eventually(lambda: not host.sh(f"grep -ls {directory} /proc/[0-9]*/maps || true"), f"nobody runs from {directory}")


def test_a_bundle_comes_by_url_and_takes_over_under_load(site: Stage, bundles: Path) -> None:
    service = Service(site)
    master = service.host
    master.sh("sh /opt/install.sh --mirror", timeout_s=LONG_S)
    first = check_index(master.sh("cat /opt/bundle.json").encode(), "first")
    second = check_index((bundles / "two" / INDEX_PATH).read_bytes(), "second")
    beside = f"/opt/{directory_name(second.index.name, second.id)}"
    eventually(partial(service.serves, first.id), "the first one is served")
    pid = service.shown("MainPID")
    # what both have, so that it is asked for without a break
    common = {path: file for path, file in first.listed.items() if file == second.listed.get(path)}
    large = max(common, key=lambda path: common[path].blob.size)
    sums = {path: common[path].blob.digest.hex for path in (*SMALL, large)}
    with downloading(site.beside, master.address, sums, in_registry(common.values()), large=large) as clients:
        eventually(partial(clients.went_on_since, {}), "all clients get files")
        url = "http://198.51.100.254:8088"
        command = [str(PROGRAM), "serve", "--root", str(bundles / "two"), "--http", url[7:], "--ftp", "off"]
        with mirror(bundles / "two", started_as=[*site.beside, *command]):
            master.sh(f"/opt/bin/bundler unpack {url} --root /opt --activate", timeout_s=LONG_S)
        is_taken_over(service, clients, beside, second.id, pid)
        # what is held is to be a worker's of the second one, and one of the first may still have been accepting
        nobody_runs_from(master, "/opt/runtime/")
        clients.hold()
        master.sh("/opt/bin/bundler activate . --root /opt")
        is_taken_over(service, clients, "/opt", first.id, pid)
        # a worker of the second one has a client still
        refused = master.run("/opt/bin/bundler", "remove", beside[5:], "--root", "/opt")
        assert refused.code == 9
        assert "is in use by process" in refused.stderr
        clients.release()
        nobody_runs_from(master, beside)
        master.sh(f"/opt/bin/bundler remove {beside[5:]} --root /opt")
        clients.counts()
    assert master.run("test", "-e", beside).code == 1
    # it reads its root again, now that something there is gone
    eventually(partial(service.runs_from, "/opt"), "it runs from /opt still")
