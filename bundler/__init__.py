"""Build, check, unpack and push the allinone bundle of an air-gapped KubeEdge site."""

# the packaging reads it from here, and so do `bundler --version` and `mirror --version`
__version__ = "0.1.0"
