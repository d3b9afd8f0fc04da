#!/usr/bin/env bash
# Installs what Hark needs from Debian's packages, and nothing if all of it is there.
#
#   scripts/deps.sh        what the build and the demo need
#   scripts/deps.sh tests  what the tests and the benches need, too
#
# Asterisk is not among it (scripts/asterisk.sh fetches one of its own), nor is Go.
# Needs root rights or sudo only when something is missing. Leaves no service running: Prosody, ejabberd, PostgreSQL,
# Kannel and nginx are only ever started by the tests and the demos, on ports and folders of their own.
set -euo pipefail

# One line each: the Debian package, how to see that it is there, what it is for.
needs='
gcc             command:cc               the C compiler, for cgo and the race detector
libc6-dev       header:stdlib.h          the C library
pkg-config      command:pkg-config       finds the libraries below
libmp3lame-dev  header:lame/lame.h       MP3
libopus-dev     library:opus             Ogg Opus
flite           command:flite            the speech synthesiser
espeak-ng       command:espeak-ng        the other speech synthesiser
prosody         command:prosody          the XMPP server
'
readonly for_tests='
festival        command:text2wave        one more speech synthesiser
festvox-kallpc16k file:/usr/share/festival/voices/english/kal_diphone/festvox/kal_diphone.scm   its voice
postgresql      postgres:initdb          the database of several nodes
ejabberd        file:/usr/sbin/ejabberdctl   another XMPP server
sip-tester      command:sipp             SIP calls by the hundred
curl            command:curl             a web client that speaks HTTP/1.0
lynx            command:lynx             a text browser
w3m             command:w3m              another
chromium        command:chromium         a browser of today
kannel          command:wapbox           the WAP gateway
kannel-extras   file:/usr/lib/kannel/test/fakewap   its telephone, and its WML compiler by itself
libwbxml2-utils command:wbxml2xml        reads compiled WML
libxml2-utils   command:xmllint          checks XHTML against its DTD
w3c-sgml-lib    file:/usr/share/xml/w3c-sgml-lib/schema/dtd   the DTDs
ffmpeg          command:ffmpeg           reads our sound files, and measures their loudness
lame            command:lame             an MP3 encoder to compare with
mpg123          command:mpg123           an MP3 player
opus-tools      command:opusdec          an Opus encoder and player
sox             command:sox              reads our sound files, too
zbar-tools      command:zbarimg          reads QR codes
nginx-light     file:/usr/sbin/nginx     a web server to compare with
'
[[ ${1-} != tests ]] || needs+=$for_tests
readonly needs

say() { printf 'deps: %s\n' "$*" >&2; }

# there CHECK tells whether a tool, a file, a C header or a C library is there.
there() {
	local kind=${1%%:*} name=${1#*:}
	case $kind in
	command) command -v "$name" >/dev/null ;;
	postgres) command -v "$name" >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/$name" >/dev/null ;; # out of the path
	header) command -v cc >/dev/null && cc -E -include "$name" -x c /dev/null >/dev/null 2>&1 ;;
	file) [[ -e $name ]] ;;
	library) command -v pkg-config >/dev/null && pkg-config --exists "$name" ;;
	esac
}

# missing prints the lines of needs that are not fulfilled.
missing() {
	local package check purpose
	while read -r package check purpose; do
		[[ -z $package ]] || there "$check" || printf '%-16s %s\n' "$package" "$purpose"
	done <<<"$needs"
}

as_root() {
	if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

can_install() {
	command -v apt-get >/dev/null && { [[ $(id -u) == 0 ]] || command -v sudo >/dev/null; }
}

readonly policy=/usr/sbin/policy-rc.d
readonly before=$policy.before-hark

# hold_servers keeps the packages from starting a server for the whole machine, by the means that Debian has for it;
# what the machine's own policy says about other services goes on to hold.
hold_servers() {
	release_servers # of a run that was killed
	[[ ! -e $policy ]] || as_root mv "$policy" "$before"
	as_root tee "$policy" >/dev/null <<-END
		#!/bin/sh
		# Made by Hark's scripts/deps.sh for the time of one installation.
		case "\$1" in prosody | ejabberd | postgresql* | kannel | nginx) exit 101 ;; esac
		[ ! -x $before ] || exec $before "\$@"
	END
	as_root chmod 755 "$policy"
}

release_servers() {
	if grep -qs "Made by Hark's" "$policy"; then as_root rm "$policy"; fi
	if [[ -e $before ]]; then as_root mv "$before" "$policy"; fi
}

# keep_off keeps a server that we have just installed from starting at the next boot.
keep_off() {
	if [[ -d /run/systemd/system ]]; then
		as_root systemctl disable --now "$1"
	elif command -v update-rc.d >/dev/null; then
		as_root update-rc.d "$1" disable
	fi
}

# apt runs apt-get without questions.
apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@" >&2
}

# The checker of accessibility that the web door's tests run in the browser; accessible in web/chromium_test.go names the
# same version.
readonly axe=axe-core@4.10.3

# install_axe puts it into the cache folder with the ordinary npm client. Without npm its checks are left out, and say so.
install_axe() {
	local folder=${HARK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hark}/$axe
	[[ ! -e $folder/node_modules/axe-core/axe.min.js ]] || return 0
	if ! command -v npm >/dev/null; then
		say "there is no npm, so the pages are not checked for accessibility (apt-get install npm)"
		return 0
	fi
	say "fetching $axe with npm"
	mkdir -p "$folder"
	npm install --prefix "$folder" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error "$axe" >&2 ||
		say "npm could not fetch $axe, so the pages are not checked for accessibility"
}

# The S3 server that the audio store's tests use; internal/testbed/s3.go names the same version.
readonly s3=v1.0.14

# install_s3 builds it into the cache folder. Without it its test is left out, and says so.
install_s3() {
	local folder=${HARK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hark}/versitygw-$s3
	[[ ! -x $folder/versitygw ]] || return 0
	say "building an S3 server, versitygw $s3 (a minute or two, once)"
	GOBIN=$folder GOFLAGS=-trimpath CGO_ENABLED=0 "${GO:-go}" install "github.com/versity/versitygw/cmd/versitygw@$s3" >&2 ||
		say "it could not be built, so the audio store is only tested with a small S3 server in the test's own process"
}

main() {
	local lines packages server servers=
	lines=$(missing)
	[[ -n $lines ]] || return 0
	say "not here yet:"
	printf '%s\n' "$lines" | sed 's/^/    /' >&2
	if ! can_install; then
		say "install these (the names are Debian's), or run everything in containers: docker compose up"
		exit 1
	fi
	mapfile -t packages < <(awk '{ print $1 }' <<<"$lines")
	for server in prosody ejabberd postgresql kannel nginx; do
		[[ " ${packages[*]} " != *" $server "* ]] || servers+=" $server"
	done

	say "reading the list of packages"
	apt update || say "the list of packages could not be renewed; going on with the old one"
	say "installing ${packages[*]}"
	trap release_servers EXIT
	hold_servers
	apt install --yes --no-install-recommends "${packages[@]}"
	for server in $servers; do keep_off "$server"; done

	lines=$(missing)
	[[ -z $lines ]] || { say "still missing after the installation:" && printf '%s\n' "$lines" >&2 && exit 1; }
	say "all is there"
}

main
if [[ ${1-} == tests ]]; then
	install_axe
	install_s3
fi
