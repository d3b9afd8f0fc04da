#!/usr/bin/env bash
# Gives Hark's tests and demo an Asterisk 22 of their own, and prints the folder that it lies in.
#
#   scripts/asterisk.sh            print the root of an unpacked Asterisk, fetching it at first
#   scripts/asterisk.sh --refresh  look whether Debian has a newer one
#
# It is unpacked from Debian's `sid` suite into a cache folder, without root rights, without a chroot and without touching
# the packages of this machine. It is run with the loader and the libraries that came with it (see internal/testbed).
#
#   HARK_ASTERISK=/path  use that root instead ("/" is the Asterisk installed on this machine)
#   HARK_CACHE=/path     the cache folder (default: $XDG_CACHE_HOME/hark, else ~/.cache/hark)
#
# Only the root is written to standard output; progress goes to standard error.
set -euo pipefail

readonly packages=(asterisk asterisk-core-sounds-en-wav)
cache=${HARK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hark}

say() { printf 'asterisk: %s\n' "$*" >&2; }

fail() {
	say "$*"
	exit 1
}

# has_asterisk FOLDER tells whether an Asterisk lies there.
has_asterisk() { [[ -x $1/usr/sbin/asterisk ]]; }

# newest_cached prints the newest root in the cache, if there is one.
newest_cached() {
	local root
	root=$(find "$cache" -mindepth 1 -maxdepth 1 -type d -name 'asterisk-[0-9]*' 2>/dev/null | sort -V | tail -n 1)
	[[ -n $root ]] && has_asterisk "$root" && printf '%s\n' "$root"
}

need_debian() {
	local tool
	for tool in apt-get apt-cache dpkg dpkg-deb flock; do
		command -v "$tool" >/dev/null || fail "there is no $tool here, so this is not Debian or one of its kin.
Install Asterisk 22.10.1 or later (20.20.1 or later of the 20 series) from your system or from asterisk.org, and say
    export HARK_ASTERISK=/        (the folder in which usr/sbin/asterisk lies)
or run everything in containers:
    docker compose up"
	done
}

# debian_mirror prints the address of the Debian archive that this machine itself uses, and how its index is signed.
debian_mirror() {
	apt-get indextargets --format '$(ORIGIN)|$(SUITE)|$(COMPONENT)|$(REPO_URI)|$(SIGNED_BY)' 'Created-By: Packages' |
		awk -F'|' '$1 == "Debian" && $2 !~ /-security|-updates|-backports/ && $3 == "main" { print $4 "|" $5; exit }'
}

# no_mirror ends the script on a system of Debian's kin (Ubuntu, Mint): its own archive has no `sid`.
no_mirror() {
	fail "this machine's apt knows no archive of Debian (is apt-get update still to be run, or is this Ubuntu?).
Install Asterisk 22.10.1 or later and say
    export HARK_ASTERISK=/        (the folder in which usr/sbin/asterisk lies)
or run everything in containers:
    docker compose up"
}

# private_apt STATE COMMAND… runs an apt tool on a state of its own, so that the machine's package lists stay as they are.
private_apt() {
	local state=$1 tool=$2
	shift 2
	"$tool" -q \
		-o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
		-o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o APT::Install-Recommends=false -o APT::Sandbox::User="$(id -un)" \
		-o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

# make_state STATE writes a private apt state whose one source is the `sid` suite of this machine's mirror.
make_state() {
	local state=$1 mirror uri signed
	mirror=$(debian_mirror)
	[[ -n $mirror ]] || no_mirror
	uri=${mirror%%|*} signed=${mirror#*|}
	[[ $signed == /* ]] || signed= # older apt leaves the word as it is; its keys are the trusted ones
	mkdir -p "$state"/{lists/partial,cache/archives/partial}
	: >"$state/status"
	printf 'deb %s%s sid main\n' "${signed:+[signed-by=$signed] }" "$uri" >"$state/sources.list"
}

# unpack STATE ROOT downloads the packages with everything they need and unpacks them into ROOT.
unpack() {
	local state=$1 root=$2 deb
	say "downloading Asterisk and its libraries (about 80 MB)"
	private_apt "$state" apt-get --yes --download-only install "${packages[@]}" >"$state/log" 2>&1 ||
		fail "the download failed: $(tail -n 3 "$state/log")"
	say "unpacking $(find "$state/cache/archives" -name '*.deb' | wc -l) packages"
	mkdir -p "$root"
	for deb in "$state"/cache/archives/*.deb; do
		dpkg-deb -x "$deb" "$root"
	done
	has_asterisk "$root" || fail "the packages hold no usr/sbin/asterisk"
}

# fetch prints the root of the newest Asterisk of `sid`, unpacking it if it is not in the cache yet. Another run that
# fetches at the same time is waited for; a half-made root never gets its final name.
fetch() {
	local version root
	mkdir -p "$cache"
	exec 9>"$cache/.asterisk.lock"
	flock -n 9 || { say "another run is fetching it, waiting" && flock 9; }
	if [[ $1 != refresh ]] && newest_cached; then return; fi

	rm -rf "$cache"/.asterisk.?????? # left by a run that was killed
	work=$(mktemp -d "$cache/.asterisk.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	make_state "$work/apt"
	say "reading Debian's list of packages"
	private_apt "$work/apt" apt-get update >"$work/log" 2>&1 || fail "apt-get update failed: $(tail -n 3 "$work/log")"
	version=$(private_apt "$work/apt" apt-cache show --no-all-versions asterisk | awk '$1 == "Version:" { print $2; exit }')
	[[ -n $version ]] || fail "Debian's sid has no package asterisk for $(dpkg --print-architecture)"
	root=$cache/asterisk-$(tr -c 'A-Za-z0-9.\n-' _ <<<"${version#*:}")
	if ! has_asterisk "$root"; then
		unpack "$work/apt" "$work/root"
		rm -rf "$root"
		mv "$work/root" "$root"
	fi
	say "Asterisk $version is in $root"
	printf '%s\n' "$root"
}

main() {
	local mode=${1:-cached}
	case $mode in
	cached) ;;
	--refresh) mode=refresh ;;
	*) fail "usage: scripts/asterisk.sh [--refresh]" ;;
	esac
	if [[ -n ${HARK_ASTERISK:-} ]]; then
		has_asterisk "$HARK_ASTERISK" || fail "HARK_ASTERISK=$HARK_ASTERISK: there is no usr/sbin/asterisk in it"
		printf '%s\n' "$HARK_ASTERISK"
		return
	fi
	if [[ $mode == cached ]] && newest_cached; then return; fi
	need_debian
	fetch "$mode"
}

main "$@"
