// A command that runs beside us.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/fd.h"

namespace shunt::sink {

// How a command ended, as a shell says it: its exit status, or 128 and the number of the signal.
using ExitStatus = int;

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
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), handle_(std::move(other.handle_)) {}
  Child& operator=(Child&&) = delete;
  ~Child();

  // Waits for its end, at most `milliseconds`; nullopt: it runs.
  [[nodiscard]] Result<std::optional<ExitStatus>> wait(int milliseconds);
  void send(int signal) const;

 private:
  Child(pid_t pid, io::Fd handle) : pid_(pid), handle_(std::move(handle)) {}

  pid_t pid_;      // -1: it has ended
  io::Fd handle_;  // pidfd_open(2)
};

}  // namespace shunt::sink
