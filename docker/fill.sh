#!/bin/sh
# Fills in configuration: fill.sh FROM_FOLDER TO_FOLDER
#
# Every @HARK_NAME@ in its *.conf and *.lua becomes the value of HARK_NAME in the environment. One that the environment
# does not have is an error. internal/testbed/render.go does the same for tests.
set -eu
umask 077

from=$1 to=$2
mkdir -p "$to"

script=$(
	# NAME=value, one a line; values of more than one line are not for configuration files.
	env | sed -n 's/^\(HARK_[A-Z_]*\)=\(.*\)$/\1 \2/p' | while read -r name value; do
		escaped=$(printf '%s' "$value" | sed 's/[\\&|]/\\&/g')
		printf 's|@%s@|%s|g\n' "$name" "$escaped"
	done
)
for file in "$from"/*.conf "$from"/*.lua; do
	[ -f "$file" ] || continue
	sed "$script" "$file" >"$to/$(basename "$file")"
	if grep -Eno '@HARK_[A-Z_]+@' "$to/$(basename "$file")" >&2; then
		echo "fill.sh: no value for this in $file" >&2
		exit 1
	fi
done
