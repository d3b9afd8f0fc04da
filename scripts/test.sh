#!/usr/bin/env bash
# test.sh ARGUMENTS: go test with these arguments. The tests hear real calls in real time while a dozen servers share the
# machine, so what fails is run once more, alone. When it passes then, the last lines call it unsteady: a fault, of the
# test or of Hark, that somebody should look at. A data race, a package that does not build, and more than three failing
# packages fail at once.
set -euo pipefail

go=${GO:-go}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

"$go" test "$@" 2>&1 | tee "$log" && exit 0

# One line for each package that failed: its name, and the names of the tests as a regular expression.
failed=$(awk '
	/^--- FAIL: / { tests = tests (tests == "" ? "" : "|") $3 }
	/^(ok|FAIL|\?)[ \t]+[^ \t]/ { if ($1 == "FAIL") print $2 "\t" (tests == "" ? "." : "^(" tests ")$"); tests = "" }
' "$log")
if [[ -z $failed ]] || grep -qE 'DATA RACE|\[(build|setup) failed\]' "$log" || (($(wc -l <<<"$failed") > 3)); then
	exit 1
fi

# The package's own flags are the caller's without the packages.
flags=()
for argument; do [[ $argument == -* || $argument =~ ^[0-9]+[smh]$ ]] && flags+=("$argument"); done
while IFS=$'\t' read -r package tests; do
	echo "again, alone: $package $tests"
	"$go" test "${flags[@]}" -count=1 -p 1 -run "$tests" "$package"
done <<<"$failed"
echo "unsteady: these passed only alone:"
sed 's/^/  /' <<<"$failed"
