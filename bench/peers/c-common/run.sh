#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Starts the binary of the settings.
case " $* " in
*" --settings tuned "*) exec "$(dirname "$0")/tuned" "$@" ;;
*) exec "$(dirname "$0")/default" "$@" ;;
esac
