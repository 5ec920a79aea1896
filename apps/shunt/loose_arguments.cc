#include "loose_arguments.h"

#include <CLI/CLI.hpp>

#include <cstddef>

namespace shunt::cli {
namespace {

const CLI::Option* option_named(const CLI::App& command, const std::string& name) {
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    if (const CLI::Option* const option = app->get_option_no_throw(name)) return option;
  }
  return nullptr;
}

bool takes_value(const CLI::Option& option) {
  return option.get_expected_min() > 0;
}

class ArgumentReader {
 public:
  ArgumentReader(const CLI::App& command, const std::vector<std::string_view>& arguments)
      : command_(command), arguments_(arguments) {}

  LooseArguments read() {
    while (at_ < arguments_.size()) {
      const std::string_view word = arguments_[at_++];
      if (word == "--") break;
      if (word.starts_with("--")) {
        take_long(word);
      } else if (word.starts_with("-")) {
        take_short(word.substr(1));
      }
    }
    return std::move(read_);
  }

 private:
  void take_long(std::string_view word) {
    const std::size_t equals = word.find('=');
    const CLI::Option* const option = option_named(command_, std::string(word.substr(0, equals)));
    if (option == nullptr) return;
    if (equals != std::string_view::npos) {
      note(*option, word.substr(equals + 1));
    } else {
      note(*option, takes_value(*option) ? next() : "true");
    }
  }

  // The first letter that takes a value takes the rest as its value.
  void take_short(std::string_view letters) {
    while (!letters.empty()) {
      const CLI::Option* const option =
          option_named(command_, "-" + std::string(letters.substr(0, 1)));
      letters.remove_prefix(1);
      if (option == nullptr) return;
      if (takes_value(*option)) {
        note(*option, letters.empty() ? next() : letters);
        return;
      }
      note(*option, "true");
    }
  }

  [[nodiscard]] std::string_view next() {
    return at_ < arguments_.size() ? arguments_[at_++] : std::string_view();
  }

  void note(const CLI::Option& option, std::string_view value) {
    if (option.check_lname("output")) read_.output = value;
    if (option.check_lname("json")) read_.json = value != "false";
  }

  const CLI::App& command_;
  const std::vector<std::string_view>& arguments_;
  std::size_t at_ = 0;
  LooseArguments read_;
};

}  // namespace

LooseArguments read_loosely(const CLI::App& command,
                            const std::vector<std::string_view>& arguments) {
  return ArgumentReader(command, arguments).read();
}

}  // namespace shunt::cli
