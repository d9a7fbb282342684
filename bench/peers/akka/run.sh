#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Starts the virtual machine with the options of the settings and the workload.
here=$(cd "$(dirname "$0")" && pwd)
options=()
case " $* " in
*" --workload idle "*)
	# a heap whose unused part one collection gives back to the system, once the program says so
	options=(-XX:+UseSerialGC -Xms32m -Xmx6g -Xmn16m -XX:-ShrinkHeapInSteps) ;;
*" --settings tuned "*)
	# touched before the first sample, as is usual for servers: on a virtual machine a page new to the host costs far more than what is measured;
	# 3 GB more take 10 s a start, and are worth it where actors are what is collected
	heap=1g
	case " $* " in *" --workload spawn_stop "* | *" --workload tree "* | *" --workload skynet "*) heap=4g ;; esac
	options=(-XX:+UseParallelGC -Xms$heap -Xmx$heap -XX:+AlwaysPreTouch -XX:+UseTransparentHugePages) ;;
esac
# made by the build; quietly without it, should it not fit any more
[ ! -f "$here/peer.jsa" ] || options+=("-XX:SharedArchiveFile=$here/peer.jsa" -Xlog:cds=off -Xlog:cds+dynamic=off)
jars=("$here/peer.jar" "$here"/lib/*.jar)
exec java "${options[@]}" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$(IFS=:; echo "${jars[*]}")" peer.Main "$@"
