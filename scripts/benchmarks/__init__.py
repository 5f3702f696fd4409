"""Benchmarks of docs/design.md, 12: ours and the peer, in turn, on the same data, file system and warm cache."""
