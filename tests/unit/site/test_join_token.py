"""Join tokens: form and date, and the fresh one on the master."""

from __future__ import annotations

import pytest

from bundler.errors import ErrorId, SiteError
from bundler.host.interface import CommandResult
from bundler.site.join_token import JoinToken, fresh_token
from bundler.site.kubeedge_places import KEADM
from tests.unit.site.kubeedge_host import CA_HASH, KUBECONFIG, answer, cloud_host, token_text

NOW = 1_790_000_000


def test_a_token_has_a_form_and_a_date_and_is_shown_nowhere() -> None:
    text = token_text(NOW)
    token = JoinToken.parse(text)
    # as those of the real cloudcore
    assert [len(part) for part in text.split(".")] == [64, 36, 24, 43]
    assert (token.authority, token.expires) == (CA_HASH, NOW)
    assert text not in repr(token)


@pytest.mark.parametrize("text", ["", "a.b.c.d", "0000.aaaa.bbbb.cccc", token_text(NOW) + "\n", token_text(NOW)[1:]])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it is no join token"):
        JoinToken.parse(text)


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        (NOW - 3600, ""),
        (NOW - 86400, ""),
        (NOW, "it has ended 0 seconds ago"),
        (NOW + 7200, "it has ended 2 hours ago"),
        (NOW - 86400 - 7200, "slow by at least 2 hours"),
        (0, "slow by at least"),
    ],
)
def test_the_clock_is_held_against_it(now: int, problem: str) -> None:
    found = JoinToken.parse(token_text(NOW)).problem(now)
    assert (problem in found) if problem else found == ""


def test_the_fresh_one_comes_from_the_cluster() -> None:
    host = cloud_host()
    text = token_text(host.time + 60)
    host.secrets["tokensecret"] = {"tokendata": text.encode()}
    before = dict(host.files)
    assert fresh_token(host, KUBECONFIG).text == text
    assert (host.files, host.ran) == (before, [])


def test_without_kubectl_keadm_is_asked() -> None:
    host = cloud_host()
    text = token_text(host.time + 60)
    host.keadm_answers = CommandResult(0, text, "")
    assert fresh_token(host, KUBECONFIG).text == text
    assert host.calls == [("gettoken", "--kube-config", KUBECONFIG)]
    assert host.ran == [f"{KEADM} gettoken --kube-config {KUBECONFIG}"]


def test_why_there_is_none() -> None:
    host = cloud_host()
    host.ready, host.keadm_answers = False, answer("gettoken-api-unreachable")
    with pytest.raises(SiteError, match="connection refused") as raised:
        fresh_token(host, KUBECONFIG)
    assert raised.value.id is ErrorId.SITE_TOKEN_UNUSABLE
    host.ready, host.secrets["tokensecret"] = True, {"tokendata": token_text(host.time - 7200).encode()}
    with pytest.raises(SiteError, match="it has ended 2 hours ago"):
        fresh_token(host, KUBECONFIG)
