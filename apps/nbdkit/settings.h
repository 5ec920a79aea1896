// The KEY=VALUE parameters of `nbdkit shunt`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shunt/base/result.h"
#include "shunt/sink/sink.h"

namespace shunt::nbdkit {

struct Settings {
  std::string pipe;               // absolute path; empty: not given
  std::optional<int> descriptor;  // fd=N
  std::string digest;             // absolute path of a file; empty: none wanted
  sink::Options disk;
  bool names_spill = false;  // spill= was given
  bool need_flush = false;   // everything written has to be flushed
  bool allow_empty = false;  // a disk that nobody wrote to is not a failure

  Settings();

  // Makes paths absolute, since nbdkit changes its directory later.
  Result<void> set(std::string_view key, std::string_view value);
  // Checks that all required parameters are given.
  [[nodiscard]] Result<void> check() const;

 private:
  bool has_size_ = false;
};

}  // namespace shunt::nbdkit
