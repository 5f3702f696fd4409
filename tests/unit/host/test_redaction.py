"""Nothing secret is in what is handed on, in whatever form a file or a log has it."""

from __future__ import annotations

import pytest

from bundler.host.redaction import REMOVED, redacted

DIGEST = "cfcb4c262b1727d9e3a909f1da8cd13301801e5e6793fe73494daf9edf8a4998"
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3MjA2NjY0MTZ9.o3lqE3uQEcNGGHdxfitkh1av6NRWh4UylP_tLDZ6rIc"
KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"token: {DIGEST}.{JWT}\n", "o3lqE3"),
        (f"  token: {DIGEST}.{JWT}\n", DIGEST),
        (f"keadm join --token={DIGEST}.{JWT} --x", "eyJhbG"),
        ("harbor_admin_password: Harbor12345\n", "Harbor12345"),
        ("database:\n  password: root123\n", "root123"),
        ('{"auths": {"master": {"auth": "YWRtaW46c2VjcmV0"}}}', "YWRtaW46"),
        ('{"identitytoken": "abc def", "x": 1}', "abc def"),
        ("password='two words'\n", "two words"),
        ("Authorization: Bearer abc.def", "abc"),
        ("http://admin:hunter2@master:8088/", "hunter2"),
        ("docker login -u admin --password hunter2 master", "hunter2"),
        (f"before\n{KEY}\nafter", "MHcCAQEE"),
        ("-----BEGIN PRIVATE KEY-----\ncut off", "cut off"),
        ('client-key-data: "LS0tLS1CRUdJTg=="', "LS0tLS1"),
        ("REGISTRY_PASSWD=hunter2", "hunter2"),
    ],
)
def test_secrets_go(text: str, secret: str) -> None:
    found = redacted(text)
    assert secret not in found
    assert REMOVED in found
    assert redacted(found) == found or secret not in redacted(found)


@pytest.mark.parametrize(
    "text",
    [
        "tokenRefreshDuration: 12\n",
        "password_file: /etc/bundler/registry.password\n",
        "rotateCertificates: true\nauthEnabled: false\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "sha256 " + DIGEST,
        "http://master:8088/yum",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text
