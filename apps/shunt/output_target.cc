#include "output_target.h"

#include <CLI/CLI.hpp>

namespace shunt::cli {

CLI::Option* add_output(CLI::App& app, std::string& out, const std::string& text) {
  return app.add_option("-o,--output", out, text)
      ->check([](const std::string& name) {
        return std::string(name.empty() ? "the name of the output is empty" : "");
      })
      ->type_name("OUT");
}

}  // namespace shunt::cli
