"""HTTP/1.1 (RFC 9110, RFC 9112) on httptools and uvloop: requests in, listed bytes out. Owns its connections."""
