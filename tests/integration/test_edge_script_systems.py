"""edge.sh on systems of other kinds: another C library, or one of 32 bits below a kernel of 64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.bare_root import BareRoot, make_bare_root
from tests.integration.edge_bundle import FILES, TOOLS, made, script
from tests.integration.nginx import nginx

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

pytestmark = pytest.mark.integration
ARMHF_LOADER = "lib/ld-linux-armhf.so.3"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """An unpacked bundle with a part for edges."""
    return made(tmp_path, "served", FILES)


@pytest.fixture
def host(tmp_path: Path) -> BareRoot:
    """A host with busybox alone, whose C library is none that the tool could use."""
    root = make_bare_root(tmp_path / "host", glibc=False)
    for name in TOOLS:
        if not (root.path / "bin" / name).is_symlink():
            (root.path / "bin" / name).symlink_to("busybox")
    (root.path / "dev").mkdir()
    (root.path / "dev/null").touch()
    return root


def run_on(host: BareRoot, machine: str, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script as if the host were such a machine; this busybox takes its own `uname` before any other program."""
    (host.path / "edge.sh").write_text(script)
    return host.run("sh", "-c", f"uname() {{ echo {machine}; }}; . /edge.sh")


@pytest.mark.parametrize(("machine", "loader"), [("x86_64", "/lib64/ld-linux-x86-64.so.2"), ("aarch64", "/lib/ld-lin")])
def test_without_glibc_nothing_is_fetched_and_nothing_made(
    tmp_path: Path, tree: Path, host: BareRoot, machine: str, loader: str
) -> None:
    with nginx(tree, tmp_path) as server:
        file, _ = script(tree, server.url, tmp_path)
        done = run_on(host, machine, file.read_text())
        assert server.requests() == []
    assert done.returncode == 9
    assert f"no glibc for {machine} ({loader}" in done.stderr
    assert list((host.path / "opt").iterdir()) == []


@pytest.mark.parametrize("machine", ["armv7l", "aarch64"])
def test_a_system_of_32_bits_gets_its_files_and_no_tool(
    tmp_path: Path, tree: Path, host: BareRoot, machine: str
) -> None:
    (host.path / ARMHF_LOADER).touch()
    with nginx(tree, tmp_path) as server:
        file, name = script(tree, server.url, tmp_path)
        done = run_on(host, machine, file.read_text())
    assert (done.returncode, "not available for 32-bit arm" in done.stdout) == (0, True), done.stderr
    found = {str(path.relative_to(host.path / "opt" / name)) for path in (host.path / "opt" / name).rglob("*")}
    assert {"kubeedge/arm", "kubeedge/keadm"} <= found
    assert not any(path.startswith("runtime") for path in found)
    assert (host.path / "opt/current").readlink().name == name
