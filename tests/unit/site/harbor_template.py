"""A template of harbor.yml as version 2.5.0's installer brings one: the same keys, the same kinds of comments."""

from __future__ import annotations

TEMPLATE = b"""\
# What this Harbor is

# how clients name it; not localhost
hostname: reg.mydomain.com

# plain HTTP
http:
  # with https set, this one only sends clients there
  port: 80

# TLS
https:
  # clients leave it out when it is 443
  port: 443
  # what nginx shows
  certificate: /your/certificate/path
  private_key: /your/private/key/path

# # TLS among Harbor's own parts
# internal_tls:
#   enabled: true

# behind a proxy of one's own
# external_url: https://reg.mydomain.com:8433

# counts the first time only
harbor_admin_password: Harbor12345

database:
  # of the database's own account
  password: root123
  max_idle_conns: 100
  max_open_conns: 900

# where everything is kept
data_volume: /data

# storage_service:
#   ca_bundle:

trivy:
  ignore_unfixed: false
  skip_update: false
  #
  offline_scan: false
  insecure: false
  # github_token: xxx

jobservice:
  max_job_workers: 10

notification:
  webhook_job_max_retry: 10

chart:
  absolute_url: disabled

log:
  level: info
  local:
    rotate_count: 50
    rotate_size: 200M
    location: /var/log/harbor

  # external_endpoint:
  #   protocol: tcp

#who reads it first looks here
_version: 2.5.0

# external_database:
#   harbor:
#     password: harbor_db_password

proxy:
  http_proxy:
  https_proxy:
  no_proxy:
  components:
    - core
    - jobservice
    - trivy

# metric:
#   enabled: false

upload_purging:
  enabled: true
  age: 168h
  interval: 24h
  dryrun: false
"""
