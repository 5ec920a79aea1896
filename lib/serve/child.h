// A command that runs beside us.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/process/process.h"

namespace shunt::serve {

using process::ExitStatus;

enum class ChildOutput {
  kAsOurs,
  kToStandardError,  // our standard output carries data
};

// Run by "/bin/sh -c", in a process group of its own, so that signals reach all that it has
// started, a pipeline for one. But not where a terminal would then stop it: when we are in the
// foreground of one, the command stays there with us. It can be typed to, and what is typed to
// interrupt reaches all; other signals reach the shell alone. One that still runs when the object
// goes away is killed.
class Child {
 public:
  using Variables = std::vector<std::pair<std::string, std::string>>;

  static Result<Child> start(const std::string& command, const Variables& variables,
                             ChildOutput output);

  // Waits for its end, at most `milliseconds`; nullopt: it runs.
  [[nodiscard]] Result<std::optional<ExitStatus>> wait(int milliseconds) {
    return process_.wait(milliseconds);
  }
  // To the command and what it has started; to nobody once the command has ended.
  void send(int signal) const { process_.send(signal); }

 private:
  explicit Child(process::Process process) : process_(std::move(process)) {}

  process::Process process_;
};

}  // namespace shunt::serve
