#!/bin/sh
# Brings assets/vendor anew: uPlot as npm has it, at the version and with the
# integrity that package-lock.json records. What is committed is what this writes;
# nothing of it is changed, and nobody who builds Tailspan needs npm.
#
#	vendor.sh          fetch and copy
#	vendor.sh check    fetch and compare
set -eu
cd "$(dirname "$0")/vendor"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cp package.json package-lock.json "$tmp"
(cd "$tmp" && npm ci --ignore-scripts --no-audit --no-fund --silent)
from=$tmp/node_modules/uplot
for f in dist/uPlot.iife.min.js dist/uPlot.min.css LICENSE; do
	to=$(basename "$f")
	[ "$to" = LICENSE ] && to=uPlot.LICENSE
	if [ "${1:-}" = check ]; then
		cmp "$from/$f" "$to"
	else
		cp "$from/$f" "$to"
	fi
done
