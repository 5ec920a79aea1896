// Forward declarations of CLI11 for headers: all of CLI11 takes seconds to compile.
#pragma once

namespace CLI {
class App;
class Option;
}  // namespace CLI
