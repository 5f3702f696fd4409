"""What keadm's output means, held against the recordings of the real one."""

from __future__ import annotations

import pytest

from bundler.host.interface import CommandResult
from bundler.site.archive_checksum import checksum_problem, form_problem
from bundler.site.keadm_words import failure_of, only_the_link_failed
from tests.stand_ins.recordings import recording
from tests.unit.site.kubeedge_host import answer

DIGEST = "0123456789abcdef" * 8


@pytest.mark.parametrize(
    ("name", "what", "remedy"),
    [
        ("init-already-running", "CloudCore is already running on this node", "End the one that runs"),
        ("init-api-unreachable", "failed to get the version of K8s master", "Wait until the Kubernetes API answers"),
        ("init-no-crds", "keadm wants to download devices_v1alpha2_device.yaml and cannot", "kubeedge-files"),
        ("init-no-kubeconfig", "failed to build config, err: stat /root/.kube/none", "kubeedge.kubeconfig"),
        ("init-no-version", "failed to get the version of K8s master", "Wait until"),
        ("init-v-prefix-panics", "keadm has broken down: panic: semver: Parse(v1.11.1)", "without a v"),
        ("join-hard-link-across-filesystems", "Invalid cross-device link", "two mounts"),
        ("join-label-without-equals", "keadm has broken down: panic: runtime error", "label"),
        ("join-no-checksum-answer-y", "keadm wants to download kubeedge-v1.11.1-linux-amd64.tar.gz", "kubeedge-files"),
        ("join-no-cloudcore-ipport", 'required flag(s) "cloudcore-ipport" not set', ""),
        ("join-no-tarball", "keadm wants to download kubeedge-v1.11.1-linux-amd64.tar.gz", "kubeedge-files"),
        ("join-no-unit-file-answer-n", "keadm wants to download edgecore.service", "kubeedge-files"),
        ("join-upper-case-node-name", "HostnameOverride: Invalid value", "lower case"),
        ("join-yum-offline", "yum -y install epel-release", "`bundler site apply edge --from mosquitto`"),
        ("rejoin-unit-exists", "File exists", "edgecore.service away"),
        ("rejoin-while-running", "EdgeCore is already running on this node", "systemctl stop edgecore"),
    ],
)
def test_each_failure_has_its_message_and_its_remedy(name: str, what: str, remedy: str) -> None:
    failure = failure_of(answer(name), "keadm")
    assert failure is not None
    assert what in failure.what
    assert remedy in failure.remedy
    assert "\n" not in failure.what
    assert "Usage" not in failure.what


@pytest.mark.parametrize(
    ("name", "call", "remedy"),
    [
        ("init-no-crds", "keadm deprecated init", "Run `bundler site apply cloud --from kubeedge-files`"),
        ("join-no-tarball", "keadm deprecated join", "Run `bundler site apply edge --from kubeedge-files`"),
    ],
)
def test_the_remedy_names_the_role_that_was_called_for(name: str, call: str, remedy: str) -> None:
    failure = failure_of(answer(name), call)
    assert failure is not None
    assert failure.remedy.startswith(remedy)


@pytest.mark.parametrize("name", ["join-good", "join-wrong-token", "init-good-rerun-overwrites-config"])
def test_exit_0_is_no_failure_as_far_as_keadm_tells(name: str) -> None:
    assert failure_of(answer(name), "keadm") is None


@pytest.mark.parametrize(
    "name", ["join-no-checksum-stdin-devnull", "join-checksum-upper-case", "join-checksum-with-file-name"]
)
def test_a_question_is_shown_and_explained(name: str) -> None:
    stdout = recording(name).stdout.partition("[y/N]")[0] + "[y/N]"
    failure = failure_of(CommandResult(124, stdout, "", stopped=True), "keadm")
    assert failure is not None
    assert "do you want to delete this file and try to download again?" in failure.what
    assert "lower-case hex alone" in failure.remedy


def test_only_the_unit_may_be_missing_after_a_join() -> None:
    wanted = {"rejoin-unit-exists", "join-hard-link-across-filesystems"}
    for name in (*wanted, "join-no-tarball", "join-yum-offline", "rejoin-while-running"):
        assert only_the_link_failed(answer(name)) is (name in wanted)


def test_other_endings_are_told() -> None:
    ended = {code: failure_of(CommandResult(code, "", "it was still running"), "keadm") for code in (127, 124, 3)}
    assert [failure.what for failure in ended.values() if failure] == [
        "there is no keadm",
        "it was still running",
        "exit 3",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "is missing"),
        (f"{DIGEST}\n", ""),
        (DIGEST, ""),
        (DIGEST.upper(), "upper-case"),
        (f" {DIGEST}\n", "no SHA-512"),
        (f"{DIGEST} \n", "blanks"),
        (f"{DIGEST}  archive.tar.gz\n", "a file name"),
        ("abc\n", "no SHA-512"),
        (f"{'0' * 128}\n", "says 000000000000…, and the archive has 0123456789ab…"),
    ],
)
def test_a_checksum_file_is_read_as_keadm_does(text: str | None, problem: str) -> None:
    found = checksum_problem(None if text is None else text.encode(), DIGEST)
    assert (problem in found) if problem else found == ""


def test_a_form_needs_no_archive() -> None:
    assert form_problem(f"{'0' * 128}\n".encode()) == ""
