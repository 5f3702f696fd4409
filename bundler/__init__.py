"""Build, check, unpack and push the allinone bundle of an air-gapped KubeEdge site."""
