"""Members of archives that others made: tar in any compression, and zip. Begin with `members`; nothing is trusted.

`stream` bounds what `bundler.decompress` gives, `selection` says which members are wanted, `tar` and `zip` read them.
"""
