# Unpack Debian's packages for another machine into an empty directory: unpack-foreign.sh LAYER SUITE ARCHITECTURE PACKAGE…
# Mirror, keys and proxies are those of this machine's apt, which learns nothing of it.
layer=$1 suite=$2 architecture=$3
shift 3
. "${0%/*}/apt-mirror.sh"
mirror=$(apt_mirror "$suite")
keys=/usr/share/keyrings/debian-archive-keyring.gpg
scratch=$layer.scratch
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$scratch/lists/partial" "$scratch/archives/partial" "$scratch/parts"
: >"$scratch/status"
if [ -e "$keys" ]; then signed="[signed-by=$keys]"; else signed=''; fi
echo "deb $signed $mirror $suite main" >"$scratch/sources.list"
foreign() {
  apt-get -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture" -o "Dir::State::status=$scratch/status" \
    -o "Dir::State::lists=$scratch/lists" -o "Dir::Cache=$scratch" -o "Dir::Etc::SourceList=$scratch/sources.list" \
    -o "Dir::Etc::SourceParts=$scratch/parts" -o Acquire::Languages=none -o APT::Sandbox::User=root \
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}
foreign update
cd "$scratch/archives"
foreign download "$@"
for package in *.deb; do dpkg -x "$package" "$layer"; done
