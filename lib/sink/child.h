// A command that runs beside us.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/process.h"

namespace shunt::sink {

using io::ExitStatus;

enum class ChildOutput {
  kAsOurs,
  kToStandardError,  // our standard output carries data
};

// Run by "/bin/sh -c". One that still runs when the object goes away is killed.
class Child {
 public:
  using Variables = std::vector<std::pair<std::string, std::string>>;

  static Result<Child> start(const std::string& command, const Variables& variables,
                             ChildOutput output);

  // Waits for its end, at most `milliseconds`; nullopt: it runs.
  [[nodiscard]] Result<std::optional<ExitStatus>> wait(int milliseconds) {
    return process_.wait(milliseconds);
  }
  void send(int signal) const { process_.send(signal); }

 private:
  explicit Child(io::Process process) : process_(std::move(process)) {}

  io::Process process_;
};

}  // namespace shunt::sink
