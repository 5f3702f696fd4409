"""A bundle's kubeedge/ with the stand-ins of its programs, as entries of a manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stand_ins.core_program import core_program
from tests.stand_ins.kubeedge_programs import kubeedge_files

if TYPE_CHECKING:
    from pathlib import Path

_CLOUD = ("cloudcore.service", "certgen.sh", "crds/")
_EDGE = ("edgecore.service",)
_PROGRAMS = ("keadm", "certgen.sh")
_PAUSE = "as: [docker.io/kubeedge/pause:3.5]"


def with_kubeedge(manifest: str, directory: Path) -> str:
    """Write KubeEdge's files below the directory of a manifest, and return the manifest with them.

    Arguments:
        manifest: the demo's text; its image of pause gets the name that edges ask for.
    """
    core = core_program(directory)
    entries = []
    for path, data in kubeedge_files(core, core).items():
        file = directory / "stand-ins" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        name = path.partition("/")[2]
        roles = "[cloud]" if name.startswith(_CLOUD) else "[edge]" if name.startswith(_EDGE) else "[cloud, edge]"
        mode = ', mode: "0755"' if name in _PROGRAMS else ""
        entries.append(f"  - {{path: {path}, url: stand-ins/{path}, roles: {roles}{mode}}}\n")
    assert _PAUSE in manifest
    named = manifest.replace(_PAUSE, "as: [docker.io/kubeedge/pause:3.1]")
    return named.replace("files:\n", f"files:\n{''.join(entries)}", 1)
