"""Serve an unpacked bundle over HTTP and FTP and as a registry."""
