#include "sink/child.h"

#include <unistd.h>

#include <algorithm>

namespace shunt::sink {
namespace {

// Our environment, with `variables` in place of those of the same names.
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

}  // namespace

Result<Child> Child::start(const std::string& command, const Variables& variables,
                           ChildOutput output) {
  SHUNT_ASSIGN(
      io::Process process,
      io::Process::start({.arguments = {"/bin/sh", "-c", command},
                          .environment = environment_with(variables),
                          .output = output == ChildOutput::kToStandardError ? STDERR_FILENO : -1}));
  return Child(std::move(process));
}

}  // namespace shunt::sink
