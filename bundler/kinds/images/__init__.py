"""The kind `images`: container images for all their platforms, placed as `k8simage/`. Begin with `kind`.

`entry` is what the manifest asks for (`reading`, `schema`), `locking` pins an image upstream, `fetching` gets its
blobs; `scripts` joins what travels with the images from the sources in `data/`.
"""
