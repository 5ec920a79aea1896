#include "parse_error.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "help.h"
#include "nearest.h"
#include "shunt/text/shell_word.h"

namespace shunt::cli {
namespace {

std::vector<std::string> names_of_commands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* const command : app.get_subcommands({}))
    names.push_back(command->get_name());
  return names;
}

// Returns the options of a command and its parents, which may all follow it.
std::vector<std::string> names_of_options(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* const option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    }
  }
  return names;
}

bool is_option(const std::string& word) {
  return word.size() > 1 && word[0] == '-';
}

// Returns the first word that looks like an option and is the name of a file; empty if there is
// none.
std::string file_among(const std::vector<std::string>& words) {
  const auto found = std::ranges::find_if(words, is_option);
  const bool is_file = found != words.end() && ::access(found->c_str(), F_OK) == 0;
  return is_file ? *found : std::string();
}

std::string of(const CLI::App& command) {
  const std::string words = words_of(command);
  return words.empty() ? words : fmt::format(" of '{}'", words);
}

std::string no_command_text(const CLI::App& command, const std::string& word) {
  return fmt::format("'{}' is not a command{}{}", word, of(command),
                     suggestion(word, names_of_commands(command)));
}

Error with_help(const CLI::App& command, const std::string& reason) {
  const std::string words = words_of(command);
  return usage(reason).with_hint(
      fmt::format("see 'shunt {}{}--help'", words, words.empty() ? "" : " "));
}

// Returns the message about words that no command takes.
std::string about_words(const CLI::App& command, const std::vector<std::string>& words) {
  const auto first = std::ranges::find_if(words, is_option);
  if (const bool wants_command = !command.get_subcommands({}).empty();
      wants_command && !words.empty() && (first == words.end() || first != words.begin())) {
    return no_command_text(command, words.front());
  }
  if (first == words.end()) {
    return words.empty() ? std::string() : fmt::format("unexpected argument '{}'", words.front());
  }
  const std::string name = first->substr(0, first->find('='));
  return fmt::format("'{}' is not an option{}{}", name, of(command),
                     suggestion(name, names_of_options(command)));
}

// Returns the option that CLI11's message begins with.
const CLI::Option* option_in(const CLI::App& command, const std::string& message) {
  const std::string name = message.substr(0, message.find(':'));
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    if (const CLI::Option* const option = app->get_option_no_throw(name)) return option;
  }
  return nullptr;
}

std::string reason_of(const CLI::App& command, const std::vector<std::string>& words,
                      const CLI::ParseError& error) {
  const std::string message = error.what();
  if (const std::string about = about_words(command, words); !about.empty()) return about;
  if (error.get_name() == "ArgumentMismatch") {
    const CLI::Option* const option = option_in(command, message);
    if (option == nullptr) return message;
    const std::string name = option->get_name();
    if (option->count() > 1) return name + " is given more than once";
    return fmt::format("{} needs a value: {}", name, option->get_type_name());
  }
  if (error.get_name() == "RequiredError" && !command.get_subcommands({}).empty()) {
    std::string all;
    for (const std::string& name : names_of_commands(command))
      all += (all.empty() ? "" : ", ") + name;
    return "a command is required: " + all;
  }
  return message;
}

}  // namespace

const CLI::App& chosen_command(const CLI::App& app) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
}

bool names_no_command(const CLI::App& app) {
  const CLI::App& command = chosen_command(app);
  return !command.get_subcommands({}).empty() && app.remaining(true).empty();
}

Error explain(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = chosen_command(app);
  if (const std::string file = file_among(app.remaining(true)); !file.empty()) {
    return usage(reason_of(command, app.remaining(true), error))
        .with_hint("to name the file, write " + shell_word(file));
  }
  // CLI11 may report something else first although the cause is an unknown word.
  return with_help(command, reason_of(command, app.remaining(true), error));
}

Error no_command(const CLI::App& command, const std::string& word) {
  return with_help(command, no_command_text(command, word));
}

}  // namespace shunt::cli
