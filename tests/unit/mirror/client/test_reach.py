from __future__ import annotations

import pytest

from mirror.client.reach import Reach


@pytest.mark.parametrize(
    ("reach", "http", "ftp"),
    [
        (Reach("master", 8088, tls=False, ftp=21), "http://master:8088", "ftp://master"),
        (Reach("master", 80, tls=False, ftp=2121), "http://master", "ftp://master:2121"),
        (Reach("master", 443, tls=True, ftp=None), "https://master", ""),
        (Reach("master", 80, tls=True, ftp=None), "https://master:80", ""),
        (Reach("master", 443, tls=False, ftp=None), "http://master:443", ""),
        (Reach("10.0.0.1", None, tls=False, ftp=21), "", "ftp://10.0.0.1"),
        (Reach("fd00::1", 8088, tls=False, ftp=21), "http://[fd00::1]:8088", "ftp://[fd00::1]"),
        (Reach("fd00::1", 443, tls=True, ftp=990), "https://[fd00::1]", "ftp://[fd00::1]:990"),
    ],
)
def test_urls_name_the_port_unless_it_is_the_protocols_own(reach: Reach, http: str, ftp: str) -> None:
    assert (reach.http_url, reach.ftp_url) == (http, ftp)
