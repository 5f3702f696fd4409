"""The mirror as a service of its host: systemd unit, log rotation, firewall. `mirror service`.

Owns which changes that takes on which host, decided purely, and how their failures are told; `bundler.host` makes,
records and undoes them.
"""
