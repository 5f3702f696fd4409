"""What a mirror of many images costs: memory of each process that is its own, before and after use and reloads.

No times: what is counted are pages of memory, with room for what any interpreter may do.
"""

from __future__ import annotations

import ftplib
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fakes.served_tree import image, listed, make_index, write_tree
from tests.integration.mirror_program import mirror

if TYPE_CHECKING:
    from tests.integration.mirror_program import Mirror

IMAGES, FILES = 2000, 4000
# an image has its top and a layer; as objects of Python they took more than 8 KiB in each worker
MOST_KIB_OF_AN_IMAGE = 2
# of a worker without any image, after it has answered requests
MOST_KIB_OF_A_WORKER = 24 * 1024
USED = ("/", "/k8simage/", "/many/", "/-/search?q=image", "/v2/_catalog", "/-/health", "/-/metrics")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of many images, and of many files in one directory."""
    files = [file for number in range(IMAGES) for file in image(f"registry.example/some/image-{number}:1", size=10)]
    files += [listed(f"many/file-{number}", 1) for number in range(FILES)]
    place = write_tree(make_index(files), tmp_path_factory.mktemp("root"))
    # the mirror's workers are nobody
    for directory in (place, place.parent, place.parent.parent):
        directory.chmod(0o755)
    return place


def private_kib(pid: int) -> int:
    """Return how much memory is this process's alone."""
    rollup = Path(f"/proc/{pid}/smaps_rollup")
    if not rollup.exists():
        pytest.skip("the kernel has no smaps_rollup (Linux 4.14)")
    lines = (line.split() for line in rollup.read_text().splitlines())
    return sum(int(line[1]) for line in lines if line[0].startswith("Private_"))


def by_protocol(running: Mirror) -> dict[str, list[int]]:
    """Return the private memory of the workers."""
    found: dict[str, list[int]] = {}
    for pid in running.workers():
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        found.setdefault(name, []).append(private_kib(pid))
    return found


def use(running: Mirror) -> None:
    for path in USED * 4:
        with urllib.request.urlopen(f"{running.url}{path}") as answer:
            assert answer.read()
    client = ftplib.FTP()  # noqa: S321 - what is tested
    client.connect("127.0.0.1", running.ftp_port)
    client.login()
    names: list[str] = []
    client.retrlines("NLST many", names.append)
    assert len(names) == FILES
    client.quit()


def test_no_worker_holds_the_images_and_reloads_leave_nothing_behind(root: Path) -> None:
    with mirror(root, "--workers", "2", "--ftp", "127.0.0.1:0") as running:
        begin = by_protocol(running)
        assert {name: len(sizes) for name, sizes in begin.items()} == {"mirror-http": 2, "mirror-ftp": 2}
        most = MOST_KIB_OF_A_WORKER + MOST_KIB_OF_AN_IMAGE * IMAGES
        for times in range(8):
            use(running)
            used = by_protocol(running)
            assert max(max(sizes) for sizes in used.values()) < most, used
            if times == 4:
                # which worker answers is chance: after twenty requests of a kind each has done everything once
                first = used
            running.reload(times + 1)
        after = by_protocol(running)
        for name, sizes in after.items():
            # one more copy of what is served would be larger
            assert max(sizes) < max(first[name]) + MOST_KIB_OF_AN_IMAGE * IMAGES, (first, after)


def test_what_all_map_is_one_file_and_only_the_newest(root: Path) -> None:
    def mapped(pid: int) -> set[str]:
        lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
        found = {line.split()[4] for line in lines if "mirror-index" in line}
        if not found:
            pytest.skip("the kernel has no memfd (Linux 3.17)")
        return found

    with mirror(root, "--workers", "2", "--ftp", "127.0.0.1:0") as running:
        before = [mapped(pid) for pid in running.workers()]
        assert all(inodes == before[0] for inodes in before)
        assert len(before[0]) == 1
        for times in (1, 2):
            running.reload(times)
        # a connection of the last site lets go of it with its next request
        use(running)
        after = [mapped(pid) for pid in running.workers()]
        assert all(len(inodes) == 1 for inodes in after), after
        assert all(inodes == after[0] and inodes.isdisjoint(before[0]) for inodes in after)
