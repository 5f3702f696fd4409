"""The upstream of scripts/demo: files, two yum repositories and the pull side of a registry, all made on the spot.

    python -m scripts.demo_upstream        prints HOST:PORT on loopback, then serves until it is ended

The same bytes come out of every run of one Python version. It is a stand-in for the public hosts that a real manifest
names; nothing of it is installed with the project.
"""
