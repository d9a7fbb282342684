#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Install into an empty prefix and use it from there: C and C++ through pkg-config, shared and static, and
# the source tree as a meson subproject.     usage: install_test.sh SOURCE BUILD
set -euo pipefail
source=$1 build=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
DESTDIR="$dir" meson install -C "$build" --no-rebuild --quiet
pc=$(find "$dir" -name heist.pc)
prefix=$(dirname "$(dirname "$(dirname "$(dirname "$pc")")")")
export PKG_CONFIG_PATH=$(dirname "$pc")
flags() { pkg-config --define-variable=prefix="$dir$(pkg-config --variable=prefix heist)" "$@" heist; }
libdir=$(dirname "$PKG_CONFIG_PATH")

cc -std=c11 -Wall -Werror $(flags --cflags) "$source/runtime/examples/hello.c" -o "$dir/hello" $(flags --libs)
LD_LIBRARY_PATH=$libdir "$dir/hello" | grep -qx 'ok 1000'
c++ -std=c++17 -Wall -Werror $(flags --cflags) "$source/tests/lint/header_test.cpp" -o "$dir/cpp" $(flags --libs)
LD_LIBRARY_PATH=$libdir "$dir/cpp"
c++ -std=c++17 -Wall -Werror $(flags --cflags) "$source/runtime/examples/counter.cpp" -o "$dir/counter" $(flags --libs)
LD_LIBRARY_PATH=$libdir "$dir/counter" | grep -q '^25 letters'
cc -std=c11 $(flags --cflags) "$source/runtime/examples/hello.c" -o "$dir/static" \
	"$libdir/libheist.a" $(flags --static --libs-only-l | sed 's/-lheist//') -pthread
"$dir/static" | grep -qx 'ok 1000'
! readelf -d "$libdir/libheist.so" | grep -q jemalloc || { echo "the library links jemalloc"; exit 1; }

mkdir -p "$dir/user/subprojects"
ln -s "$source" "$dir/user/subprojects/heist"
cp "$source/runtime/examples/hello.c" "$dir/user/"
cat >"$dir/user/meson.build" <<EOF
project('user', 'c')
dep = dependency('heist', fallback: ['heist', 'heist_dep'], default_options: ['tests=false', 'bench=false', 'examples=false'])
executable('user', 'hello.c', dependencies: dep)
EOF
PKG_CONFIG_PATH= meson setup "$dir/user/b" "$dir/user" --wrap-mode=forcefallback >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
ninja -C "$dir/user/b" user >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
"$dir/user/b/user" | grep -qx 'ok 1000'
echo ok
