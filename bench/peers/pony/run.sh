#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Starts the program with as many scheduler threads as workers and the runtime's options of the settings.
workers=1 previous=
for argument; do
	[ "$previous" != --workers ] || workers=$argument
	previous=$argument
done
case " $* " in
*" --settings tuned "*)
	case " $* " in
	*" --workload idle "*) ;; # it is memory that counts there
	*) set -- --ponymemoryprofile 10 "$@" ;;
	esac
	set -- --ponypin --ponynoblock --ponynoscale --ponygcinitial 40 "$@" ;;
esac
exec "$(dirname "$0")/pony" --ponymaxthreads "$workers" "$@"
