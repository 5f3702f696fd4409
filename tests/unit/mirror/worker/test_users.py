from __future__ import annotations

import pytest

from bundler.errors import ErrorId, ServeError
from mirror.worker.users import MAX_PASSWORD_BYTES, read_users

# written by `htpasswd -B -C 4`, the lowest cost, so that a test is quick; blank's password is empty, long's 72 times x
FILE = """\
# who may install
ann:$2y$04$Pi9F5F8I2AsMjIlztKync.j9E0ND2UZcKqkxmbPX6MVjZSqMbO0.i

维护:$2y$04$K99Pw.ramMpZ0x9EAXpOdez4qrFSeAk5PNGJGXsrsKiOD4Y/GR5Uy
long:$2y$04$b6/H1yQy6onQlFeIAbd47OUMhoRZ/UsH.mokcQHxnUN.CEUJr5LJC\r
  blank:$2y$04$bHWSRRDBcZAsGRvH1oIlWev4VNGxqcxB043uN88STUp7YoHR2ezTa
"""
HASH = FILE.splitlines()[1].partition(":")[2]


def test_those_in_the_file_may_log_in_with_their_password() -> None:
    users = read_users(FILE.encode(), "users")
    assert users.check("ann", b"secret")
    assert users.check("维护", b"secret")
    assert users.check("long", b"x" * 72)
    assert users.check("blank", b"")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ann", b"Secret"),
        ("ann", b""),
        ("ann", b"secret\0"),
        ("ann", b"\0secret"),
        ("blank", b"\0"),
        ("blank", b"x" * (MAX_PASSWORD_BYTES + 1)),
        ("long", b"x" * 71),
        ("long", b"x" * (MAX_PASSWORD_BYTES + 1)),
        ("bob", b"secret"),
        ("bob", b""),
        ("", b""),
        ("ANN", b"secret"),
        ("ann ", b"secret"),
        ("ann\0", b"secret"),
        ("\udcff", b"secret"),
        ("# who may install", b""),
    ],
)
def test_nobody_else_may_and_nothing_wrong_is_remembered(name: str, password: bytes) -> None:
    users = read_users(FILE.encode(), "users")
    assert not users.check(name, password)
    assert not users.remembers(name, password)


def test_bcrypt_looks_at_72_bytes_and_longer_passwords_do_not_stop_it() -> None:
    assert read_users(FILE.encode(), "users").check("long", b"x" * 100)


def test_what_was_right_once_is_remembered_as_it_was_until_the_file_is_read_again() -> None:
    users = read_users(FILE.encode(), "users")
    assert not users.remembers("ann", b"secret")
    assert users.check("ann", b"secret")
    assert users.remembers("ann", b"secret")
    for name, password in (("ann", b"secre"), ("an", b"nsecret"), ("维护", b"secret"), ("", b"annsecret")):
        assert not users.remembers(name, password)
    assert not read_users(FILE.encode(), "users").remembers("ann", b"secret")
    assert b"secret" not in b"".join(users._remembered)


def test_an_unknown_name_is_compared_at_the_cost_of_the_costliest() -> None:
    mixed = f"ann:{HASH}\nbob:{HASH.replace('$04$', '$07$')}\ncid:{HASH.replace('$04$', '$05$')}\n"
    assert read_users(mixed.encode(), "users")._nobody.startswith(b"$2b$07$")
    assert read_users(FILE.encode(), "users")._nobody.startswith(b"$2b$04$")


@pytest.mark.parametrize("version", ["2a", "2b", "2x", "2y"])
def test_every_bcrypt_version_is_read(version: str) -> None:
    users = read_users(f"ann:{HASH.replace('2y', version)}".encode(), "users")
    assert users.check("ann", b"secret")


@pytest.mark.parametrize(
    "line",
    [
        "ann:$apr1$9fAaiyEb$cxkdl3Eu49gF5fmnJBCpz1",
        "ann:5op2nDQ3PrPSc",
        "ann:PlainText",
        "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
        "ann",
        "ann:",
        f":{HASH}",
        f"ann:{HASH}x",
        f"ann:{HASH[:-1]}",
        f"ann:{HASH}:more",
        f"ann:{HASH.replace('$04$', '$03$')}",
        f"ann:{HASH.replace('$04$', '$18$')}",
        f"ann:{HASH.replace('$04$', '$99$')}",
        # a salt whose last character holds bits that no salt has: bcrypt refuses it at every login
        f"ann:{HASH[:28]}A{HASH[29:]}",
        f"dora:{HASH}",
    ],
)
def test_other_lines_are_refused_by_number_and_never_quoted(line: str) -> None:
    with pytest.raises(ServeError) as caught:
        read_users(f"# first\ndora:{HASH}\n{line}\n".encode(), "/etc/mirror/users")
    assert caught.value.id is ErrorId.SERVE_USERS_INVALID
    told = caught.value.text()
    assert told.startswith("/etc/mirror/users: ")
    assert "line 3" in told
    for secret in (line, line.partition(":")[2], HASH):
        assert not secret or secret not in told


def test_a_name_that_is_no_utf8_is_refused_by_number() -> None:
    with pytest.raises(ServeError, match="the name on line 1 is not UTF-8"):
        read_users(b"\xff:" + HASH.encode(), "users")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"# nobody yet\n"])
def test_a_file_that_names_nobody_is_refused(data: bytes) -> None:
    with pytest.raises(ServeError, match="names nobody"):
        read_users(data, "users")
