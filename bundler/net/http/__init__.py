"""HTTP for everything else in `net`: `transport` sends requests, `attempt` brings one URL's content into a sink.

The other modules decide, most of them purely: whom to trust (`tls`, `client_certs`), where a redirect leads, what a
status or a failed connection means.
"""
