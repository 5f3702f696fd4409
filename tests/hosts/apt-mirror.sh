# Sourced by the scripts beside it: `apt_mirror SUITE` prints the first mirror of a suite that this machine's apt knows.
apt_mirror() {
  found=$(apt-get indextargets --format '$(CODENAME) $(RELEASE) $(COMPONENT) $(REPO_URI)' 'Identifier: Packages' |
    while read -r codename release component uri; do
      case "$1 main" in "$codename $component" | "$release $component") echo "$uri" && break ;; esac
    done)
  [ -n "$found" ] || { echo "apt has no mirror of $1 (main)" >&2 && return 1; }
  echo "$found"
}
