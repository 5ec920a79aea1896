#!/usr/bin/env bash
# What `cmake --install` leaves can be used from any prefix: by a program outside the tree, through
# find_package and through pkg-config, in C++20 and later.
#
#   SHUNT_BUILD_DIR  the build that is installed
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
[[ -f ${SHUNT_BUILD_DIR-}/cmake_install.cmake && -d ${SHUNT_SOURCE_DIR-} ]] || skip "no build to install"
((sanitized == 0)) || skip "a sanitizer's library needs its compiler's options"
need_command cmake ninja pkg-config c++

cd "$work"
outside=$SHUNT_SOURCE_DIR/tests/package
cmake --install "$SHUNT_BUILD_DIR" --prefix "$work/first" >install.log || { cat install.log && exit 1; }
# Moved: nothing in it may know where it was.
mkdir elsewhere
mv first elsewhere/shunt
prefix=$work/elsewhere/shunt

# moves PROGRAM WHAT: it moves the moov of a file, and finds the media module.
moves() {
  generate plain film
  out=$("$1" film) || fail "$2: the program fails"
  equal "$2" "$out" "moved verified"
}

cmake -S "$outside" -B by-cmake -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Debug >cmake.log 2>&1 &&
  cmake --build by-cmake >>cmake.log 2>&1 || { tail -n 30 cmake.log && fail "find_package(shunt)" && exit 1; }
moves by-cmake/outside "find_package"

package() { PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name shunt.pc)") pkg-config "$@" shunt; }
for standard in c++20 c++23; do
  # shellcheck disable=SC2046
  c++ -std=$standard -DMODULE_DIR="\"$(package --variable=moduledir)\"" "$outside/main.cc" -o by-pkg-config \
    $(package --cflags --libs --static) 2>compile.log || { tail -n 30 compile.log && fail "pkg-config, $standard"; }
  moves ./by-pkg-config "pkg-config, $standard"
done

# No header of the package includes one that is not in it.
while read -r header; do
  [[ -f $prefix/include/$header ]] || fail "$header is included, and not installed"
done < <(grep -rhoE '^#include "shunt/[^"]+"' "$prefix/include/shunt" | cut -d'"' -f2 | sort -u)
((failures == 0)) && echo "passed"
