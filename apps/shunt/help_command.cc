// shunt help: prints what --help of a command prints.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "command.h"
#include "exit_code.h"
#include "help.h"
#include "output.h"
#include "parse_error.h"

namespace shunt::cli {
namespace {

class HelpCommand final : public Command {
 public:
  explicit HelpCommand(CLI::App& parent)
      : app_(parent.add_subcommand("help", "Print the help of a command.")), parent_(parent) {
    app_->fallthrough();
    app_->add_option("COMMAND", words_, "As in 'shunt help cache gc'; none: all commands")
        ->type_name("");
  }

  [[nodiscard]] CLI::App* app() const override { return app_; }

  int run(const Globals& globals) override {
    const CLI::App* command = &parent_;
    for (const std::string& word : words_) {
      const auto commands = command->get_subcommands({});
      const auto below = std::ranges::find_if(
          commands, [&](const CLI::App* one) { return one->get_name() == word; });
      if (below == commands.end()) {
        print_error(globals, no_command(*command, word));
        return kUsage;
      }
      command = *below;
    }
    print(Stream::kOut, help_text(*command));
    return kDone;
  }

 private:
  CLI::App* app_;
  CLI::App& parent_;
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_help(CLI::App& parent) {
  return std::make_unique<HelpCommand>(parent);
}

}  // namespace shunt::cli
