# SPDX-License-Identifier: BSD-2-Clause
# Sourced by the build scripts of the peers in Rust, after lib.sh.  A program for each setting: an allocator
# and a profile cannot be switched at run time.  Peers that are built with the same CARGO_TARGET_DIR share
# what they have in common.
common=$here/../rust-common
need cargo cargo-web
need rustc rustc-web
least=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$here/Cargo.toml")
have=$(rustc --version | cut -d ' ' -f 2)
if [ "$(printf '%s\n' "$least" "$have" | sort -V | head -1)" != "$least" ]; then
	echo "$peer: rustc $least or later is missing, here is $have (Debian 12: rustc-web and cargo-web)" >&2
	exit 3
fi
unless_changed "$(rustc --version)" "$here"/Cargo.* "$here"/src/* "$common"/*.* "$common"/run "$common"/src/*

# The network is asked only for what the lock file names and the machine does not have.
target=${CARGO_TARGET_DIR:-$out/target}
mkdir -p "$target"
target=$(cd "$target" && pwd)
compile() { # what it is called here, profile, more arguments
	step "cargo build, $1," cargo build --quiet --locked --manifest-path "$here/Cargo.toml" \
		--target-dir "$target" --config "$common/tuned.toml" --profile "$2" "${@:3}"
	cp --remove-destination "$target/$2/peer-$peer" "$out/$1"
}
for settings in "${wanted[@]}"; do
	case $settings in
	default) compile default release ;;
	tuned) compile tuned tuned --no-default-features --features tuned ;;
	esac
done
finish "$common/run"
