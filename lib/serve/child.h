// A command that runs beside the server.
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
  kToStandardError,  // standard output carries data
};

// Runs a command by "/bin/sh -c" in its own process group, so that signals reach everything that it
// starts, such as a pipeline. If we are in the foreground of a terminal, it stays in our group,
// since the terminal would otherwise stop it: it can read from the terminal, an interrupt from the
// keyboard reaches all of it, and other signals reach only the shell. The destructor kills a
// command that still runs.
class Child {
 public:
  using Variables = std::vector<std::pair<std::string, std::string>>;

  static Result<Child> start(const std::string& command, const Variables& variables,
                             ChildOutput output);

  // Waits for its end, at most `milliseconds`; nullopt: it still runs.
  [[nodiscard]] Result<std::optional<ExitStatus>> wait(int milliseconds) {
    return process_.wait(milliseconds);
  }
  // Sends a signal to the command and what it has started; does nothing once it has ended.
  void send(int signal) const { process_.send(signal); }

 private:
  explicit Child(process::Process process) : process_(std::move(process)) {}

  process::Process process_;
};

}  // namespace shunt::serve
