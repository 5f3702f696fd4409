"""The bundles' images as a container registry that only reads: which names there are, and what a request for one gets.

Pure: a site comes in, decisions go out. How a reply travels is up to `mirror.http`.
"""
