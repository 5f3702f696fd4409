"""Tables on terminals that are narrower than they are."""

from __future__ import annotations

from bundler.fitted_table import GivingWay, of_linux, short_digests, table_lines

HEADINGS = ("KIND", "NAME", "PLATFORMS", "HELD TO")
ROWS = [
    ("images", "registry.example/kubernetes/kube-proxy:v1.22.1", "linux/amd64,linux/arm64", "first-use"),
    (
        "files",
        "kubeedge/checksum_keadm-v1.11.1-linux-arm64.tar.gz.txt",
        "any",
        "published-checksum https://h.example/x",
    ),
]
WAYS = {"PLATFORMS": GivingWay(of_linux), "HELD TO": GivingWay(keep="start"), "NAME": GivingWay(keep="end", least=24)}


def lines(columns: int | None) -> list[str]:
    return list(table_lines(HEADINGS, ROWS, columns=columns, giving_way=WAYS))


def test_columns_give_way_one_after_the_other_and_no_more_than_they_must() -> None:
    assert lines(80) == [
        "KIND    NAME                                   PLATFORMS    HELD TO",
        "images  …xample/kubernetes/kube-proxy:v1.22.1  amd64,arm64  first-use",
        "files   …keadm-v1.11.1-linux-arm64.tar.gz.txt  any          published-checksum …",
    ]
    # the first column that gives way is enough
    assert "registry.example/kubernetes/kube-proxy:v1.22.1" in lines(123)[1]
    assert "published-checksum https://h.example/x" in lines(123)[2]
    assert "amd64,arm64" in lines(123)[1]
    assert "linux/" not in lines(123)[1]


def test_a_pipe_and_a_wide_terminal_get_everything() -> None:
    assert lines(None) == lines(1000)
    assert all(cell in line for row, line in zip(ROWS, lines(None)[1:], strict=True) for cell in row)


def test_cells_that_would_look_alike_stay_whole() -> None:
    names = ["a" * 30 + "/end-of-it", "b" * 30 + "/end-of-it", "c" * 30 + "/another-end"]
    way = {"NAME": GivingWay(keep="end", least=10)}
    found = list(table_lines(("NAME",), [(name,) for name in names], columns=10, giving_way=way))
    assert found[1:] == [*names[:2], "…other-end"]


def test_twelve_digits_of_a_digest_are_enough_and_versions_are_not_cut() -> None:
    assert short_digests("was sha256:" + "0123456789abcdef" * 4) == "was 0123456789ab"
    way = GivingWay(short_digests)
    assert way.shortened("3:20.10.9-3.el7_9.2.x86_64", 5) == "3:20.10.9-3.el7_9.2.x86_64"
