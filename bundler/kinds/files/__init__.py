"""The kind `files`: single files and members of upstream archives. Begin with `kind`.

`entry` is what the manifest asks for (`reading`, `schema`), `locking` pins it, `fetching` gets the bytes.
"""
