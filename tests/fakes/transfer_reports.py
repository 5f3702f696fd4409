"""Reports on a bundle for a KubeEdge site, with everything in them that a report can tell."""

from __future__ import annotations

from bundler.model.upgrade import Changes, UpgradeStep
from bundler.report.transfer_report import TransferReport, transfer_report
from bundler.trust.signature_verdict import NOT_SIGNED, SignatureVerdict
from tests.fakes.served_tree import KUBEEDGE, MIB, kubeedge_files, listed, make_index

ID = "5f0c" * 16
OLD_ID = "77aa" * 16
# right-to-left override: "exe.txt" would be read as "txt.exe"
TURNED = "odd/<b>&\u202eexe.txt"
LONG_NAME = "a-rather-long-name-of-a-file-v1.11.1-linux-arm64.tar.gz"
STEPS = (
    UpgradeStep("downgraded", "rpms", "yum/vsftpd.x86_64", "3.0.2-30.el7_9", "3.0.2-29.el7_9", 180_000, 170_000),
    UpgradeStep("replaced", "rpms", "yum/wget.x86_64", "1.14-18.el7_6.1", "1.14-18.el7_6.1", 560_000, 560_100),
    UpgradeStep("upgraded", "images", "registry.k8s.io/kube-proxy", "v1.22.1", "v1.22.17", 34 * MIB, 36 * MIB),
    UpgradeStep("upgraded", "rpms", "yum/docker-ce.x86_64", "3:20.10.9-3.el7", "3:20.10.24-3.el7", MIB, 2 * MIB),
    UpgradeStep("changed", "images", "registry.k8s.io/pause:3.5", f"sha256:{ID}", f"sha256:{OLD_ID}", 300_000, 300_000),
    UpgradeStep("added", "files", f"kubeedge/{LONG_NAME}", "", f"sha256:{ID}", 0, 61 * MIB),
    UpgradeStep("removed", "images", "docker.io/kubeedge/pause:3.1", f"sha256:{ID}", "", MIB, 0),
)  # fmt: skip


def sample_report(*, compared: bool = True, verdict: SignatureVerdict = NOT_SIGNED) -> TransferReport:
    """Return a report, by default of an unsigned bundle that is compared with an earlier one."""
    mirrored = {"by": "published-checksum", "detail": f"{KUBEEDGE}/checksum.txt", "via": "https://mirror.example/gh"}
    files = [
        *kubeedge_files(),
        listed("kubeedge/through-a-mirror.tar.gz", 900, url=f"{KUBEEDGE}/x.tar.gz", held_to=mirrored),
        listed("odd/<b>&exe.txt", 7, url="files/odd", held_to={"by": "manifest"}, member="<script>alert(1)</script>"),
    ]
    return transfer_report(
        make_index(files, name="kubernetes_kubeedge_allinone", release="2025.03"),
        bundle_id=ID,
        verdict=verdict,
        changes=Changes("kubernetes_kubeedge_allinone", "2024.11", OLD_ID, STEPS) if compared else None,
    )
