#!/usr/bin/env bash
# Runs every fuzz test of the repository, one after the other: scripts/fuzz.sh [TIME EACH, such as 20s]
set -euo pipefail

readonly go=${GO:-go} each=${1:-20s}
cd "$(dirname "$0")/.."

# targets prints one line for each fuzz test: package and name.
targets() {
	local package dir
	while read -r package dir; do
		grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go 2>/dev/null | sed "s|^func |$package |" || true
	done < <("$go" list -f '{{.ImportPath}} {{.Dir}}' ./...)
}

mapfile -t all < <(targets)
if [[ ${#all[@]} == 0 ]]; then
	echo "there are no fuzz tests"
	exit 1
fi
failed=0
# By default Go spends up to a minute on making each input that reaches new code smaller: with inputs of some kilobytes, such
# as an MP3 file, nothing else would be tried in all of the time.
readonly smaller=20x
for i in "${!all[@]}"; do
	read -r package name <<<"${all[i]}"
	printf '[%d/%d] %s %s for %s\n' "$((i + 1))" "${#all[@]}" "$package" "$name" "$each"
	"$go" test -run '^$' -fuzz "^$name\$" -fuzztime "$each" -fuzzminimizetime "$smaller" "$package" || failed=$((failed + 1))
done
printf '%d passed, %d failed\n' "$((${#all[@]} - failed))" "$failed"
[[ $failed == 0 ]]
