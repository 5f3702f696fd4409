"""What is served under which URL, and whether the bytes on disk are still the checked ones. docs/design.md, 7, 8.

Owns the mirror's whole view of the disk; refuses to know any protocol.
"""
