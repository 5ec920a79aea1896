#include "settings.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "shunt/io/temporary.h"
#include "shunt/text/ascii.h"
#include "shunt/text/size_text.h"

namespace shunt::nbdkit {
namespace {

Result<std::string> absolute(std::string_view key, std::string_view name) {
  if (name.empty()) return usage(fmt::format("{}= needs a name", key));
  std::error_code failed;
  std::string path = std::filesystem::absolute(name, failed).string();
  if (failed) return system_error(failed.value(), name, "find");
  return path;
}

Result<int> parse_descriptor(std::string_view text) {
  const auto number = ascii::parse_number<int>(text);
  if (!number || *number < 0) return usage(fmt::format("fd={} is not a descriptor", text));
  return *number;
}

Result<sink::CommitPolicy> parse_policy(std::string_view text) {
  if (const auto policy = sink::parse_policy(text)) return *policy;
  return usage("commit= takes window, at-end or auto");
}

Result<bool> parse_truth(std::string_view key, std::string_view text) {
  for (const std::string_view word : {"true", "1", "yes", "on"}) {
    if (text == word) return true;
  }
  for (const std::string_view word : {"false", "0", "no", "off"}) {
    if (text == word) return false;
  }
  return usage(fmt::format("{}= takes true or false", key));
}

}  // namespace

Settings::Settings() {
  disk.spill = io::temporary_folder();
}

Result<void> Settings::set(std::string_view key, std::string_view value) {
  if (key == "pipe") {
    SHUNT_ASSIGN(pipe, absolute(key, value));
  } else if (key == "fd") {
    SHUNT_ASSIGN(descriptor, parse_descriptor(value));
  } else if (key == "size") {
    SHUNT_ASSIGN(disk.size, parse_size(value));
    has_size_ = true;
  } else if (key == "window") {
    SHUNT_ASSIGN(disk.window, parse_size(value));
  } else if (key == "read-window") {
    SHUNT_ASSIGN(disk.read_window, parse_size(value));
  } else if (key == "commit") {
    SHUNT_ASSIGN(disk.policy, parse_policy(value));
  } else if (key == "memory") {
    SHUNT_ASSIGN(disk.memory, parse_size(value));
    if (disk.memory < sink::HeldBlocks::kLeastMemory) return usage("memory= takes at least 2M");
  } else if (key == "spill" && value == "none") {
    disk.spill.clear();
  } else if (key == "spill") {
    SHUNT_ASSIGN(disk.spill, absolute(key, value));
    names_spill = true;
  } else if (key == "truncate") {
    SHUNT_ASSIGN(disk.truncate, parse_truth(key, value));
  } else if (key == "need-flush") {
    SHUNT_ASSIGN(need_flush, parse_truth(key, value));
  } else if (key == "allow-empty") {
    SHUNT_ASSIGN(allow_empty, parse_truth(key, value));
  } else if (key == "digest") {
    SHUNT_ASSIGN(digest, absolute(key, value));
    disk.digest = true;
  } else {
    return usage(fmt::format("unknown parameter {}=", key));
  }
  return {};
}

Result<void> Settings::check() const {
  if (pipe.empty() == !descriptor.has_value()) return usage("one of pipe=PATH and fd=N is needed");
  if (!has_size_) return usage("size=SIZE is needed");
  if (disk.size > INT64_MAX) return usage("the disk is too large");
  return {};
}

}  // namespace shunt::nbdkit
