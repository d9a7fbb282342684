# SPDX-License-Identifier: BSD-2-Clause
# Sourced by the build scripts of the peers: build DIR [SETTINGS...], quiet when nothing changed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
peer=$(basename "$here")
[ $# -ge 1 ] || { echo "usage: $0 DIR [SETTINGS...]" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
wanted=("${@:2}") # for a peer with a program for each that takes long to build: these
[ $# -gt 1 ] || wanted=(default tuned)

# Ends the build if a command is missing.
need() { # command, Debian package
	command -v "$1" >/dev/null && return
	echo "$peer: $1 is missing; scripts/setup --peers installs it (Debian: $2)" >&2
	exit 3
}

# Are the programs there?  A peer whose one program takes both settings has none of such a name.
has_wanted() {
	local s
	[ -x "$out/default" ] || [ -x "$out/tuned" ] || return 0
	for s in "${wanted[@]}"; do [ -x "$out/$s" ] || return 1; done
}

# Ends the build if it was last made from these files with these tools; else it begins.
unless_changed() { # what the tools say of themselves, file...
	inputs=$(printf '%s\n' "$1" && sha256sum "${BASH_SOURCE[0]}" "$0" "${@:2}" | cut -d ' ' -f 1)
	if [ -x "$out/run" ] && [ "$(cat "$out/inputs" 2>/dev/null)" = "$inputs" ]; then
		! has_wanted || exit 0
	else
		rm -f "$out/default" "$out/tuned"
	fi
	rm -f "$out/inputs" "$out/run"
	echo "$peer: building" >&2
}

# Runs a step; its words are shown only if it fails.
step() { # what it is, command...
	"${@:2}" >"$out/log" 2>&1 && return
	cat "$out/log" >&2
	echo "$peer: $1 failed" >&2
	exit 1
}

# The last step: the program is there.
finish() { # what becomes run
	install -m 755 "$1" "$out/run"
	printf '%s\n' "$inputs" >"$out/inputs"
}
