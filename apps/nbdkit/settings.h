// What stands behind `nbdkit shunt` as KEY=VALUE.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shunt/base/result.h"
#include "shunt/sink/sink.h"

namespace shunt::nbdkit {

struct Settings {
  std::string pipe;               // absolute; empty: not given
  std::optional<int> descriptor;  // fd=N
  std::string digest;             // a file, absolute; empty: none wanted
  sink::Options disk;
  bool names_spill = false;  // spill= was given
  bool need_flush = false;   // all that was written has to be flushed
  bool allow_empty = false;  // a disk that nobody wrote to is no failure

  Settings();

  // Names become absolute here: nbdkit changes its directory later.
  Result<void> set(std::string_view key, std::string_view value);
  // Whether all is there that has to be.
  [[nodiscard]] Result<void> check() const;

 private:
  bool has_size_ = false;
};

}  // namespace shunt::nbdkit
