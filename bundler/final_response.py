"""http.client's responses, less what it leaves to its user: the answers before the final one, and codings of transfer.

Owns what every client of ours has to do whichever library holds its connection; refuses to open connections.
"""

from __future__ import annotations

import http.client

from bundler.translation import tr

# `102 Processing` may come every few seconds while a server works
MAX_INTERIM_RESPONSES = 1000
MAX_FIELDS = 100
MAX_LINE_BYTES = 65536
_FIRST, _SWITCHING_PROTOCOLS, _FIRST_FINAL = 100, 101, 200


class FinalResponse(http.client.HTTPResponse):
    """Passes over responses 1xx, of which any number may come (RFC 9110, 15.2); http.client does so for 100 alone.

    It is set as the `response_class` of a connection. A switch of protocols, which nobody asks for, counts as final.
    """

    def _read_status(self) -> tuple[str, int, str]:
        # also what reads a proxy's answer to CONNECT
        for _ in range(MAX_INTERIM_RESPONSES):
            head: tuple[str, int, str] = super()._read_status()  # type: ignore[misc] # typeshed does not show it
            if not _FIRST <= head[1] < _FIRST_FINAL or head[1] == _SWITCHING_PROTOCOLS:
                return head
            self._pass_fields()
        raise http.client.HTTPException(
            tr(
                "more than {max_interim_responses} answers before the final one",
                max_interim_responses=MAX_INTERIM_RESPONSES,
            )
        )

    def _pass_fields(self) -> None:
        for _ in range(MAX_FIELDS):
            line = self.fp.readline(MAX_LINE_BYTES + 1)
            if len(line) > MAX_LINE_BYTES:
                raise http.client.LineTooLong("header line")
            if line in (b"\r\n", b"\n", b""):
                return
        raise http.client.HTTPException(tr("got more than {max_fields} headers", max_fields=MAX_FIELDS))

    def begin(self) -> None:
        """Read the head; UnknownTransferEncoding for a coding that nobody asked for (RFC 9112, 6.1 and 7.4)."""
        super().begin()
        codings = self.headers.get_all("Transfer-Encoding") or []
        names = [name.strip().lower() for field in codings for name in field.split(",")]
        if [name for name in names if name not in ("", "identity", "chunked")] or names.count("chunked") > 1:
            raise http.client.UnknownTransferEncoding(", ".join(codings))
