"""The kind `images`: container images for all their platforms, placed as `k8simage/`. Begin with `kind`.

`locking` pins an image upstream, `fetching` gets its blobs; `scripts` joins what travels with the images
from the sources in `data/`.
"""
