"""Images as values: references, OCI documents, the layout `k8simage/`, and the images of a bundle.

Begin with `layout`.
"""
