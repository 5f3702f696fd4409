"""Images as values: OCI documents, the names on the site, the layout `k8simage/`, and the images of a bundle.

Begin with `layout`.
"""
