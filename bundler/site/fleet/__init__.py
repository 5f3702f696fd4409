"""Many edges over ssh: what Ansible is given to run edge.sh and `bundler site` on each, and what came of it.

Owns inventory, playbooks and the table of results; refuses to know how hosts are reached: Ansible does, with the
operator's own ssh. Only its modules `raw` and `script` are used on edges, so that they need nothing but sh.
"""
