"""The kind `rpms`: closed, signed yum repositories. Begin with `kind`.

`entry` is what the manifest asks for (`reading`, `schema`), `locking` pins the closure from the repositories'
`metadata` (`cached_repomd`, `repo_extras`), `fetching` gets the packages, `placing` lays the repository out. What RPM
itself is lies in `bundler.rpm`.
"""
