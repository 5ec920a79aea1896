// CLI11's names for headers: the whole of it takes seconds to compile.
#pragma once

namespace CLI {
class App;
class Option;
}  // namespace CLI
