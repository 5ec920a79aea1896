#include "shunt/serve/child.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "shunt/io/fd.h"

namespace shunt::serve {
namespace {

// Returns our environment with `variables` replacing those of the same name.
std::vector<std::string> environment_with(const Child::Variables& variables) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    const std::string name = text.substr(0, text.find('='));
    if (std::ranges::none_of(variables, [&](const auto& own) { return own.first == name; })) {
      all.push_back(text);
    }
  }
  for (const auto& [name, value] : variables) {
    all.push_back(name);
    all.back().append("=").append(value);
  }
  return all;
}

bool in_foreground() {
  const io::Fd terminal(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC));
  return terminal.valid() && ::tcgetpgrp(terminal.get()) == ::getpgrp();
}

}  // namespace

Result<Child> Child::start(const std::string& command, const Variables& variables,
                           ChildOutput output) {
  SHUNT_ASSIGN(process::Process process,
               process::Process::start(
                   {.arguments = {"/bin/sh", "-c", command},
                    .environment = environment_with(variables),
                    .output = output == ChildOutput::kToStandardError ? STDERR_FILENO : -1,
                    .own_group = !in_foreground()}));
  return Child(std::move(process));
}

}  // namespace shunt::serve
