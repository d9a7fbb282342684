#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Starts the virtual machine with as many schedulers as workers and the options of the settings.
here=$(cd "$(dirname "$0")" && pwd)
workers=1 previous=
for argument; do
	[ "$previous" != --workers ] || [[ ! $argument =~ ^[1-9][0-9]{0,2}$ ]] || workers=$argument
	previous=$argument
done
# room for the processes of skynet and idle
options=(+S "$workers:$workers" +P 4000000)
case " $* " in *" --settings tuned "*)
	options+=(+sbt db +sbwt very_long)
	case " $* " in
	*" --workload fan_in "*) options+=(+hmqd off_heap) ;;
	*" --workload skynet "*) options+=(+MMmcs 30) ;;
	esac ;;
esac
export ERL_CRASH_DUMP_BYTES=0
exec erl "${options[@]}" -noshell -boot start_clean -pa "$here/ebin" -s contract start -extra "$@"
