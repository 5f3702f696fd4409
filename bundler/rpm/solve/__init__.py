"""Package specs -> the closed set of packages that dnf would install. Begin with `solving`; `request` has its values.

`install_jobs` says what libsolv is told, `excludes` what it may not choose, `solver_problems` why there is no answer,
`repoclosure` whether a finished repository is closed.
"""
