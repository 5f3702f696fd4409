"""Signatures of packages and metadata. Begin with `checking`; the rest reads keys, signatures and package headers."""
