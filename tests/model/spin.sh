#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Check a Promela model, or that it fails.   usage: spin.sh MODEL ok|broken [-DFLAG]
set -euo pipefail
model=$(realpath "$1") expect=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
spin ${3:-} -a "$model" >spin.log
cc -O1 -w -DNFAIR=3 -o pan pan.c
./pan -a -f -N live >pan.log 2>&1 || true
if grep -q 'errors: 0' pan.log; then found=ok; else found=broken; fi
grep -E 'errors:|states, stored' pan.log
[ "$found" = "$expect" ]
