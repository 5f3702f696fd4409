"""harbor.yml: from the version's own template, and what Harbor's `prepare` accepts for http and https."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundler.host.file_changes import CannotEditError
from bundler.manifest.yaml_edit import read_plain
from bundler.site.edits.harbor_yml import HarborWish, harbor_yml
from tests.unit.site.harbor_template import TEMPLATE

HTTPS = HarborWish("master", None, "/c/registry.crt", "/c/registry.key", "a\"b'c#d \\e: 7", "/data")
HTTP = replace(HTTPS, certificate="", private_key="")
# facts: what `prepare` 2.5.0 wants, or dies with a traceback
REQUIRED = ("hostname", "harbor_admin_password", "database", "data_volume", "jobservice", "notification", "log")


def difference(wish: HarborWish) -> list[str]:
    before, after = TEMPLATE.decode().splitlines(), harbor_yml(TEMPLATE, None, wish).decode().splitlines()
    return [line for line in after if line not in before]


def test_with_tls_only_values_change() -> None:
    assert difference(HTTPS) == [
        "hostname: master",
        "  certificate: /c/registry.crt",
        "  private_key: /c/registry.key",
        'harbor_admin_password: "a\\"b\'c#d \\\\e: 7"',
    ]
    meant = read_plain(harbor_yml(TEMPLATE, None, HTTPS))
    assert meant["https"] == {"port": 443, "certificate": "/c/registry.crt", "private_key": "/c/registry.key"}
    assert (meant["http"], meant["harbor_admin_password"]) == ({"port": 80}, HTTPS.password)


def test_without_tls_the_whole_mapping_is_gone() -> None:
    made = harbor_yml(TEMPLATE, None, replace(HTTP, port=8080))
    meant = read_plain(made)
    assert "https" not in meant
    assert meant["http"] == {"port": 8080}
    assert not any(word in made for word in (b"\nhttps:", b"certificate:", b"private_key:"))


@pytest.mark.parametrize("wish", [HTTP, HTTPS, replace(HTTPS, port=8443, data="/srv/harbor")])
def test_it_has_what_prepare_reads_and_made_again_it_is_the_same(wish: HarborWish) -> None:
    made = harbor_yml(TEMPLATE, None, wish)
    meant = read_plain(made)
    assert set(REQUIRED) <= meant.keys()
    assert meant["log"]["local"]["location"] == "/var/log/harbor"
    assert meant["jobservice"]["max_job_workers"] == meant["notification"]["webhook_job_max_retry"] == 10
    # the script `prepare` takes the last word of that line
    (line,) = [line for line in made.splitlines() if b"data_volume:" in line and not line.startswith(b"#")]
    assert line.split() == [b"data_volume:", wish.data.encode()]
    assert harbor_yml(TEMPLATE, made, wish) == made
    assert made.count(b"#") >= TEMPLATE.count(b"#") - 3


def test_from_http_to_https_and_back() -> None:
    plain = harbor_yml(TEMPLATE, None, HTTP)
    secured = harbor_yml(TEMPLATE, plain, HTTPS)
    assert read_plain(secured)["https"]["private_key"] == "/c/registry.key"
    back = harbor_yml(TEMPLATE, secured, HTTP)
    assert read_plain(back) == read_plain(plain)


@pytest.mark.parametrize("line", [b'data_volume: "/data"', b"data_volume: /data # disk", b"data_volume:   '/data'  "])
def test_the_data_s_directory_stands_bare(line: bytes) -> None:
    made = harbor_yml(TEMPLATE, TEMPLATE.replace(b"data_volume: /data", line), HTTPS)
    assert b"\ndata_volume: /data\n" in made


def test_what_others_set_stays() -> None:
    theirs = TEMPLATE.replace(b"max_job_workers: 10", b"max_job_workers: 3 # few") + b"metric: {enabled: true}\n"
    made = harbor_yml(TEMPLATE, theirs, HTTPS)
    assert b"max_job_workers: 3 # few" in made
    assert read_plain(made)["metric"] == {"enabled": True}


def test_the_guide_s_own_edit_is_mended() -> None:
    guides = TEMPLATE.replace(b"hostname: reg.mydomain.com", b"hostname: 192.0.2.1")
    assert harbor_yml(TEMPLATE, guides, HTTP) == harbor_yml(TEMPLATE, None, HTTP)


@pytest.mark.parametrize(
    ("template", "there", "wish", "words"),
    [
        (None, None, HTTPS, "harbor.yml.tmpl is missing"),
        (TEMPLATE, TEMPLATE.replace(b"2.5.0", b"2.4.1"), HTTPS, "is version 2.4.1's, and the installer's is 2.5.0"),
        (TEMPLATE, b"a: [", HTTPS, "not valid YAML"),
        (TEMPLATE, b"\t", HTTPS, "not valid YAML"),
        (TEMPLATE, None, replace(HTTPS, hostname="127.0.0.1"), "cannot be the name of a registry"),
        (TEMPLATE, None, replace(HTTPS, hostname="localhost"), "cannot be the name of a registry"),
        (TEMPLATE, None, replace(HTTPS, data="/data of mine"), "cannot be the directory of the data"),
        (TEMPLATE, None, replace(HTTPS, data="data"), "cannot be the directory of the data"),
    ],
)
def test_what_cannot_be_made_is_refused(
    template: bytes | None, there: bytes | None, wish: HarborWish, words: str
) -> None:
    with pytest.raises(CannotEditError) as raised:
        harbor_yml(template, there, wish)
    assert words in raised.value.what
    assert raised.value.remedy
