from __future__ import annotations

from mirror.settings import DEFAULT_FTP, DEFAULT_HTTP, ListenAddress


def test_endpoints_read_as_people_write_them() -> None:
    assert [
        str(each) for each in (DEFAULT_HTTP, DEFAULT_FTP, ListenAddress("10.0.0.1", 80), ListenAddress("fd00::1", 80))
    ] == [
        "*:8088",
        "*:21",
        "10.0.0.1:80",
        "[fd00::1]:80",
    ]
