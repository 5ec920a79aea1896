// What must hold whatever comes in: libFuzzer keeps the input of a run that aborts.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace shunt::fuzz {

inline void require(bool condition, const char* what = "what has to hold",
                    int line = __builtin_LINE()) {
  if (condition) return;
  std::fprintf(stderr, "violated in line %d: %s\n", line, what);
  std::abort();
}

}  // namespace shunt::fuzz
