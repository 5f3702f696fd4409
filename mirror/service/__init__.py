"""The mirror as a service of its host: systemd unit, log rotation, firewall. `mirror service`.

Owns every change to the host, and the journal by which they are undone; what is to be done is decided purely.
"""
