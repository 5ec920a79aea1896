#include "output_target.h"

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "io/duplicate.h"
#include "io/path.h"
#include "signals.h"
#include "source_options.h"

namespace shunt::cli {

CLI::Option* add_output(CLI::App& app, std::string& out, const std::string& text) {
  return app.add_option("-o,--output", out, text)
      ->check([](const std::string& name) {
        return std::string(name.empty() ? "the name of the output is empty" : "");
      })
      ->type_name("OUT");
}

std::optional<int> output_descriptor(const std::string& out) {
  return out == "-" ? STDOUT_FILENO : io::descriptor_named(out);
}

bool is_standard_output(const std::string& out) {
  return output_descriptor(out) == STDOUT_FILENO;
}

Result<io::File> open_descriptor(const std::string& command, int descriptor,
                                 const std::string& out) {
  if (::isatty(descriptor) == 1) {
    return usage_error(command,
                       "binary data is not written to a terminal; redirect it, or name a file");
  }
  const std::string name = descriptor == STDOUT_FILENO ? "(standard output)" : out;
  if ((::fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_RDONLY) {
    return system_error(EBADF, name, "open for writing");
  }
  // Not for programs that are started from here: who reads the other end would wait for them too.
  SHUNT_ASSIGN(io::File file, io::duplicate(descriptor, name, "open for writing"));
  file.set_cancel(&cancel_token());
  return file;
}

}  // namespace shunt::cli
