"""The kind `runtime`: this tool with a Python of its own, for hosts that have neither. Begin with `kind`.

`entry` is what the manifest asks for (`reading`, `schema`). `locking` pins it: the Python (`python_pinning`,
`python_archive`), this tool and its packages (`wheel_pinning`, `package_choice`, `pip`), their byte-code (`bytecode`).
`fetching` gets it again, `launchers` start it on the site. `interface` is what is needed of programs.
"""
