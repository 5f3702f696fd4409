"""The stand-ins of KubeEdge's programs, as bytes: keadm as one script, and what a bundle brings of KubeEdge.

Every one of them is a test program; what each plays stands at the head of its source. `kubeedge_files` is a bundle's
kubeedge/ with them, laid out as manifests/kubeedge-1.11.1.yaml has it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

from tests.stand_ins.recordings import recording, settings_file

HERE = Path(__file__).parent
VERSION = "1.11.1"
CRDS = {
    "devices/devices_v1alpha2_device": "devices.devices.kubeedge.io",
    "devices/devices_v1alpha2_devicemodel": "devicemodels.devices.kubeedge.io",
    "reliablesyncs/cluster_objectsync_v1alpha1": "clusterobjectsyncs.reliablesyncs.kubeedge.io",
    "reliablesyncs/objectsync_v1alpha1": "objectsyncs.reliablesyncs.kubeedge.io",
    "router/router_v1_rule": "rules.rules.kubeedge.io",
    "router/router_v1_ruleEndpoint": "ruleendpoints.rules.kubeedge.io",
}
_END = "END_OF_TEXT"


def keadm_script() -> bytes:
    """Return keadm: its texts, taken from the recordings, then what decides which of them is printed."""
    no_version = recording("init-no-version").stdout.partition("execute keadm")[0]
    texts = {
        "version": recording("keadm-version").stdout,
        "no_version": no_version,
        "panic_version": recording("init-v-prefix-panics").stderr,
        "panic_label": recording("join-label-without-equals").stderr,
        "usage_init": _usage("init-already-running"),
        "usage_join": _usage("rejoin-while-running"),
        "usage_gettoken": _usage("gettoken-api-unreachable"),
        "usage_reset": _usage("reset-edge-answer-n"),
        "cloudcore_yaml": settings_file("cloudcore.yaml"),
        "edgecore_yaml": settings_file("edgecore.yaml"),
    }
    functions = [f"text_{name}() {{\ncat <<'{_END}'\n{text}{_END}\n}}\n" for name, text in texts.items()]
    return "".join(["#!/bin/sh\n", *functions, (HERE / "keadm.sh").read_text()]).encode()


def unit(name: str) -> bytes:
    """Return a unit as KubeEdge's sources have it: nothing but a start, again after ten seconds."""
    sections = {
        "Unit": [f"Description={name}.service"],
        "Service": ["Type=simple", f"ExecStart=/usr/local/bin/{name}", "Restart=always", "RestartSec=10"],
        "Install": ["WantedBy=multi-user.target"],
    }
    return "\n\n".join("\n".join([f"[{head}]", *lines]) for head, lines in sections.items()).encode() + b"\n"


def kubeedge_archive(cloudcore: bytes, edgecore: bytes, arch: str = "amd64") -> bytes:
    """Return the archive of both programs, its members in the order of the real one."""
    top = f"kubeedge-v{VERSION}-linux-{arch}"
    members: list[tuple[str, bytes | None]] = [
        (top, None),
        (f"{top}/edge", None),
        (f"{top}/edge/edgecore", edgecore),
        (f"{top}/version", b"v1.11.1\n"),
        (f"{top}/cloud", None),
        (f"{top}/cloud/cloudcore", None),
        (f"{top}/cloud/cloudcore/cloudcore", cloudcore),
    ]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.mode = 0o644 if name.endswith("version") else 0o755
            if content is None:
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


def kubeedge_files(cloudcore: bytes, edgecore: bytes, arch: str = "amd64") -> dict[str, bytes]:
    """Return a bundle's kubeedge/ by path: what keadm looks for, and keadm.

    Arguments:
        cloudcore, edgecore: the two programs.
    """
    archive = kubeedge_archive(cloudcore, edgecore, arch)
    name = f"kubeedge-v{VERSION}-linux-{arch}.tar.gz"
    files = {
        name: archive,
        f"checksum_{name}.txt": hashlib.sha512(archive).hexdigest().encode() + b"\n",
        "keadm" if arch == "amd64" else f"keadm-{arch}": keadm_script(),
        "cloudcore.service": unit("cloudcore"),
        "edgecore.service": unit("edgecore"),
        "certgen.sh": (HERE / "certgen.sh").read_bytes(),
        **{f"crds/{path}.yaml": _definition(path) for path in CRDS},
    }
    return {f"kubeedge/{path}": data for path, data in files.items()}


def _definition(path: str) -> bytes:
    kind = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
    return f"{kind}metadata:\n  name: {CRDS[path]}\n".encode()


def _usage(name: str) -> str:
    stderr = recording(name).stderr
    return stderr[stderr.index("Usage:") :]
