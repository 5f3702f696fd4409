"""What there is to know of KubeEdge on a host: its places, its state in the cluster, its programs and certificates.

Owns how these are looked at, and the changes that several steps share. Refuses to know the order of steps
(`bundler.site.roles`) and how keadm is run (`bundler.site.keadm`).
"""
