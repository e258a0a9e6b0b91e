#!/bin/bash
# Runs alloc-musl, alloc-mimalloc and alloc-host (those that are in the folder given) by turns, so
# that a noisy machine is noisy for all of them. Prints the medians of each load: operations per
# second, and per second of CPU.
set -euo pipefail

folder=$1
rounds=${2:-5}
builds=""
for build in musl mimalloc host; do
	[ ! -x "$folder/alloc-$build" ] || builds="$builds $build"
done

median()
{
	cut -d' ' -f"$1" | grep . | sort -n | sed -n "$((rounds / 2 + 1))p"
}

printf '%-12s %-10s %10s %12s\n' load libraries per-second per-CPU-s
for load in "sign 1" "sign 2" "handshake 1" "handshake 2" "put 1" "put 2"; do
	declare -A rates=()
	for ((round = 0; round < rounds; round++)); do
		for build in $builds; do
			rates[$build]+=$("$folder/alloc-$build" $load)$'\n'
		done
	done
	for build in $builds; do
		printf '%-12s %-10s %10s %12s\n' "$load" "$build" "$(median 1 <<<"${rates[$build]}")" \
			"$(median 2 <<<"${rates[$build]}")"
	done
done
