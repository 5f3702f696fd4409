"""Package specs -> the closed set of packages that dnf would install. Begin with `solving`; `request` has its values.

`install_jobs` makes the jobs for libsolv, `excludes` removes packages from the choice, `solver_problems` explains why
there is no solution, `repoclosure` checks whether a finished repository is closed.
"""
