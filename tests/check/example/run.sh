#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What ../README.md tells users to type, run as a test: a correct queue passes, a broken one does not.
#
# usage: run.sh COMPILER HEIST LIBRARY FOLDER     HEIST: a checkout; LIBRARY: its libheist_check.a
set -eu
compiler=$1 heist=$2 library=$3 folder=$4

build() { # name, arguments of the compiler
	name=$1
	shift
	"$compiler" -std=gnu11 -O1 -g -fsanitize=thread -Dmemcpy=check_memcpy -Dmemset=check_memset "$@" \
		-I"$heist" -c "$heist/tests/check/example/spsc_model.c" -o "$folder/$name.o"
	"$compiler" "$folder/$name.o" "$library" -o "$folder/$name"
}

build spsc
"$folder/spsc" --random 10000
"$folder/spsc" --exhaustive --preemptions 3 --complete

build spsc_broken -DPUBLISH=memory_order_relaxed
"$folder/spsc_broken" --random 10000 --expect race
if "$folder/spsc_broken" --exhaustive >"$folder/spsc_broken.txt"; then
	echo "a broken queue passed" >&2
	exit 1
fi
grep -q 'data race' "$folder/spsc_broken.txt"
grep -q 'spsc.h:' "$folder/spsc_broken.txt"
