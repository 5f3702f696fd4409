"""What the report tells, in both languages, and that no name in it can do anything."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from typing import TYPE_CHECKING, Any, get_args

import pytest

from bundler.model.digest import Digest
from bundler.model.upgrade import MOVES
from bundler.report.page import TONGUES, report_pieces
from bundler.report.transfer_report import transfer_report
from bundler.trust.signature_verdict import NOT_SIGNED, SignatureVerdict, Standing, judge
from bundler.trust.trusted_keys import NOBODY, TrustedKeys
from tests.fakes.served_tree import listed, make_index
from tests.fakes.transfer_reports import ID, STEPS, TURNED, sample_report
from tests.unit.trust.signers import signature, signer, trusting

if TYPE_CHECKING:
    from bundler.report.transfer_report import Concern, TransferReport


def page(report: TransferReport) -> str:
    return b"".join(report_pieces(report)).decode()


def words(tongue: str) -> dict[str, Any]:
    texts: dict[str, Any] = json.loads((resources.files("bundler.report") / "words" / f"{tongue}.json").read_bytes())
    return texts


def verdict(trusted: TrustedKeys, *signers: str) -> SignatureVerdict:
    """Return what signatures by these, in files that bear their names, are worth."""
    found = {f"SHA256SUMS.sig.{signer(name).key.id}": signature(name, b"sums") for name in signers}
    return judge(trusted, Digest.sha256(b"sums"), found, "SHA256SUMS")


def concerns(report: TransferReport) -> dict[str, Concern]:
    return {concern.key: concern for concern in report.concerns}


def test_both_languages_have_the_same_words() -> None:
    texts = [words(tongue) for tongue in TONGUES]
    assert texts[0].keys() == texts[1].keys()
    for key in texts[0]:
        placeholders = [sorted(re.findall(r"{\w+}", text[key])) for text in texts]
        assert placeholders[0] == placeholders[1], key


def test_every_word_is_used_and_every_move_and_concern_has_one() -> None:
    template = (resources.files("bundler.report") / "templates" / "report.html").read_text()
    # the template puts these together
    made = ("move.", "standing.", "concern.", "vouching.", "column.", "name.")
    unused = [key for key in words("en") if f"'{key}'" not in template and not key.startswith(made)]
    assert unused == []
    assert {f"move.{move}" for move in MOVES} <= words("en").keys()
    assert {f"standing.{standing}" for standing in get_args(Standing)} <= words("en").keys()


def test_what_comes_in_is_told() -> None:
    report = sample_report()
    assert [item.name for item in report.packages][:2] == ["containerd.io", "docker-ce"]
    assert report.packages[1].version == "20.10.24-3.el7"
    proxy = next(item for item in report.images if item.name == "registry.k8s.io/kube-proxy")
    assert (proxy.version, proxy.further_names) == ("v1.22.1", ("k8s.gcr.io/kube-proxy:v1.22.1",))
    assert "kubeedge/through-a-mirror.tar.gz" in [item.name for item in report.files]
    assert sum(count for _, count, _ in report.origins) == len(report.packages + report.images + report.files)
    assert report.origins[0][2] >= report.origins[-1][2]


def test_changes_come_first_and_the_alarming_ones_before_all() -> None:
    report = sample_report()
    assert list(report.steps) == ["downgraded", "replaced", "upgraded", "changed", "added", "removed"]
    assert report.added_bytes == sum(step.added_bytes for step in STEPS)
    text = page(report)
    order = [text.index(f'id="{place}"') for place in ("changes", "downgraded", "added", "concerns", "contents")]
    assert order == sorted(order)


def test_what_wants_a_second_look_is_told() -> None:
    found = concerns(sample_report())
    assert found["unsigned-bundle"].count == 1
    assert found["downgraded"].names == ("yum/vsftpd.x86_64",)
    assert found["replaced"].names == ("yum/wget.x86_64",)
    assert "quay.io/coreos/flannel v0.14.0" in found["first-use"].names
    assert found["through-mirror"].names == ("kubeedge/through-a-mirror.tar.gz",)


def test_a_signed_bundle_that_is_not_compared() -> None:
    report = sample_report(compared=False, verdict=verdict(trusting("alice"), "alice"))
    text = page(report)
    assert "unsigned-bundle" not in concerns(report)
    assert 'id="changes"' not in text
    assert words("en")["against.none"] in text
    assert "SHA256SUMS.sig" in text
    assert not {"too-few-signatures", "unchecked-signatures"} & concerns(report).keys()


def test_it_says_which_signatures_hold() -> None:
    two = trusting("alice", "bob", "carol", threshold=2)
    report = sample_report(verdict=verdict(two, "alice", "mallory"))
    text = page(report)
    for tongue in TONGUES:
        assert words(tongue)["signatures.needed"].format(count=1, needed=2, trusted=3) in text
        assert words(tongue)["standing.holds"] in text
        assert words(tongue)["standing.foreign"] in text
    assert signer("alice").key.title in text
    found = concerns(report)["too-few-signatures"]
    assert (found.count, found.names) == (1, (f"SHA256SUMS.sig.{signer('mallory').key.id}",))


def test_signatures_that_nobody_checked_want_a_second_look() -> None:
    report = sample_report(verdict=verdict(NOBODY, "alice"))
    assert words("zh")["standing.unchecked"] in page(report)
    assert concerns(report)["unchecked-signatures"].count == 1


def test_a_comparison_without_a_change_says_so() -> None:
    report = sample_report()
    assert report.against is not None
    text = page(replace(report, steps={}, against=replace(report.against, steps=())))
    assert words("en")["changes.none"] in text
    assert words("zh")["changes.none"] in text


def test_the_page_has_the_whole_id_and_both_titles() -> None:
    text = page(sample_report())
    assert ID in text
    assert "Transfer report" in text
    assert "传输审批报告" in text


class _Loads(HTMLParser):
    """Collects whatever in a page could load something or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe", "object", "embed", "form", "base", "b"):
            self.found.append(tag)
        for name, value in attrs:
            if name in ("src", "action", "style") or name.startswith("on"):
                self.found.append(f"{tag} {name}")
            if name == "href" and not str(value).startswith("#"):
                self.found.append(f"{tag} {value}")


def test_nothing_in_the_page_loads_or_runs() -> None:
    text = page(sample_report())
    loads = _Loads()
    loads.feed(text)
    assert loads.found == []
    assert "url(" not in text
    assert "@import" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_names_turn_no_reading_order() -> None:
    report = sample_report()
    odd = replace(report.files[-1], name=TURNED)
    text = page(replace(report, files=(odd,)))
    assert "odd/&lt;b&gt;&amp;[U+202E]exe.txt" in text


def test_the_same_report_has_the_same_bytes() -> None:
    assert page(sample_report()) == page(sample_report())


@pytest.mark.parametrize("by", ["signature", "published-checksum", "manifest", "first-use", "unknown"])
def test_every_way_of_vouching_has_words(by: str) -> None:
    assert f"vouching.{by}" in words("en")


def test_what_lay_beside_the_manifest_comes_from_no_host_and_ports_tell_hosts_apart() -> None:
    files = [
        listed("docs/news.txt", 1, url="news.txt", held_to={"by": "first-use"}),
        listed("docs/a.txt", 2, url="http://mirror.example:8088/a", held_to={"by": "first-use"}),
        listed("docs/b.txt", 3, url="http://me:secret@mirror.example/b", held_to={"by": "first-use"}),
    ]
    report = transfer_report(make_index(files, name="site", release="1"), bundle_id=ID, verdict=NOT_SIGNED)
    assert {host for host, _, _ in report.origins} == {"", "mirror.example:8088", "mirror.example"}
