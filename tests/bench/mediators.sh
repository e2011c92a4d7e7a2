#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CPU time of single mediators on a JSON message of about 1 KiB, by
# wsgwseq --bench: the median of five runs of each sequence, less that of an
# empty one. Usage: mediators.sh [WSGWSEQ]; N=100000 sets the number of runs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
wsgwseq=${1:-./wsgwseq}
n=${N:-20000}

median() {
	for _ in 1 2 3 4 5; do
		"$wsgwseq" --bench "$n" -r "$1" -s bench -t application/json \
		    <"$here/mediators/message.json"
	done | sort -n | sed -n 3p
}

empty=$(median "$here/mediators/empty.xml" | awk '{ print $1 }')
printf '%-40s %12s %14s\n' sequence 'ns of CPU' 'allocations'
printf '%-40s %12s\n' 'empty (subtracted below)' "$empty"
for file in "$here"/mediators/*.xml; do
	name=$(basename "$file" .xml)
	[ "$name" != empty ] || continue
	median "$file" | awk -v name="$name" -v empty="$empty" '{
		printf "%-40s %12.0f %14s\n", name, $1 - empty, $7 }'
done
