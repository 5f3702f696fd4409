"""harbor.yml from the template of the very version that is installed; what is not set here stays Harbor's. Pure.

Follows what Harbor's own `prepare` does with it (2.5.0 and 2.12.4): without TLS the whole `https` mapping goes, for a
half of it means http on port 443; `data_volume` stands bare and alone on its line, for a script looks for it with grep.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.host.file_changes import CannotEditError
from bundler.manifest.yaml_edit import REMOVE, edited, read_plain, value_at
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.manifest.yaml_edit import KeyPath
    from bundler.model.json_value import Json

HTTP_PORT, HTTPS_PORT = 80, 443
# which names mean something else to clients, or nothing; `prepare` refuses but the first two
_NO_NAMES = ("reg.mydomain.com", "127.0.0.1", "localhost", "0.0.0.0", "::1", "")  # noqa: S104 - refused
# of what the installer's script makes of it
_BARE_PATH = re.compile(r"/[A-Za-z0-9._/+@-]*")
_DATA_LINE = re.compile(rb"^data_volume:[^\r\n]*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class HarborWish:
    """What a Harbor is to be.

    Arguments:
        hostname: where clients are sent for a token; the name that images have, without a port.
        port: None for the scheme's own.
        certificate, private_key: paths of the pair; "" for plain HTTP.
        password: of `admin`; counts when Harbor is installed for the first time.
        data: the directory of its data.
    """

    hostname: str
    port: int | None
    certificate: str
    private_key: str
    password: str
    data: str


def harbor_yml(template: bytes | None, there: bytes | None, wish: HarborWish) -> bytes:
    """Return the file, from the template where there is none yet; made again it is the same.

    Raises CannotEditError where the template is missing, or the file is another version's.
    """
    if template is None:
        raise CannotEditError(tr("the installer's harbor.yml.tmpl is missing"), tr("Unpack the installer anew."))
    if wish.hostname in _NO_NAMES:
        raise CannotEditError(
            tr("{hostname!r} cannot be the name of a registry", hostname=wish.hostname),
            tr("Set registry.host in site.yaml."),
        )
    if not _BARE_PATH.fullmatch(wish.data):
        remedy = tr("Name one of letters, digits and . _ + @ - under registry.data in site.yaml.")
        raise CannotEditError(tr("{data!r} cannot be the directory of the data", data=wish.data), remedy)
    try:
        base = template if there is None else there
        _require_same_version(template, base)
        made = edited(base, _settings(wish))
        made = made if wish.certificate else edited(made, {("https",): REMOVE})
        bare = _DATA_LINE.sub(f"data_volume: {wish.data}".encode(), made)
        if read_plain(bare) != read_plain(made):
            raise ValueError(tr("its data_volume is not one that can be edited safely"))
        return bare
    except ValueError as error:
        raise CannotEditError(str(error), tr("Move it away; it is made from the template then.")) from error


def _require_same_version(template: bytes, there: bytes) -> None:
    wanted, found = (value_at(read_plain(data), ("_version",)) for data in (template, there))
    if wanted != found:
        raise CannotEditError(
            tr("is version {found}'s, and the installer's is {wanted}", found=found, wanted=wanted),
            tr("Migrate Harbor by its own guide first, or move the file away."),
        )


def _settings(wish: HarborWish) -> dict[KeyPath, Json]:
    settings: dict[KeyPath, Json] = {
        ("hostname",): wish.hostname,
        ("http", "port"): HTTP_PORT,
        ("harbor_admin_password",): wish.password,
        ("data_volume",): wish.data,
    }
    if not wish.certificate:
        return {**settings, ("http", "port"): wish.port or HTTP_PORT}
    return {
        **settings,
        ("https", "port"): wish.port or HTTPS_PORT,
        ("https", "certificate"): wish.certificate,
        ("https", "private_key"): wish.private_key,
    }
