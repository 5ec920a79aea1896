#include "help.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <string_view>
#include <vector>

#include "settings.h"

namespace shunt::cli {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kColumn = 24;  // column of descriptions

struct Examples {
  std::string_view command;
  std::array<std::string_view, 2> lines;
};

constexpr std::array kExamples = {
    Examples{"",
             {"shunt faststart video.mp4", "shunt fetch https://example.org/film.mp4 -o film.mp4"}},
    Examples{"faststart",
             {"shunt faststart --dry-run video.mp4",
              "shunt faststart https://example.org/film.mp4 -o front.mp4"}},
    Examples{"fetch",
             {"shunt fetch --range 0+4K --range -1M https://example.org/film.mp4 -o ends",
              "shunt fetch --layer 0 docker://debian:12 | tar tzf - | head"}},
    Examples{"cache-warm",
             {"shunt cache-warm docker://debian:12",
              "shunt cache-warm --head --max-rate 2M --from videos.txt"}},
    Examples{"cache", {"shunt cache ls", "shunt cache gc --max-size 1G"}},
    Examples{"cache ls", {"shunt cache ls", "shunt --json cache ls | jq -r '.entries[].source'"}},
    Examples{"cache stat", {"shunt cache stat", "shunt --cache-dir /var/cache/shunt cache stat"}},
    Examples{"cache verify",
             {"shunt cache verify", "shunt cache verify https://example.org/film.mp4"}},
    Examples{"cache gc", {"shunt cache gc --max-size 1G", "shunt cache gc --max-size 0"}},
    Examples{"cache rm",
             {"shunt cache rm https://example.org/film.mp4", "shunt cache rm 5f70bf18a086"}},
    Examples{"cache pin",
             {"shunt cache pin https://example.org/film.mp4", "shunt cache pin 5f70bf18a086"}},
    Examples{"cache unpin",
             {"shunt cache unpin https://example.org/film.mp4", "shunt cache unpin 5f70bf18a086"}},
    Examples{"stream-sink",
             {"shunt stream-sink --size 1G --run 'nbdcopy disk.img \"$uri\"' | sha256sum",
              "zstd -dc disk.zst | shunt stream-sink --stdin --sparse -o disk.img"}},
    Examples{"help", {"shunt help faststart", "shunt help cache gc"}},
};

// ---- text ---------------------------------------------------------------------------------------

// Wraps `text` between words. Lines after the first are indented by `indent`; the first has `taken`
// columns less, which are already printed.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t taken) {
  std::string lines;
  std::size_t column = taken;
  bool first = true;
  while (!text.empty()) {
    const std::size_t begin = text.find_first_not_of(" \n");
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(" \n"));
    text.remove_prefix(word.size());
    if (!first && column + 1 + word.size() > kWidth) {
      lines += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!first) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += word.size();
    first = false;
  }
  return lines;
}

std::string entry(std::string left, std::string_view text) {
  left.insert(0, "  ");
  std::size_t taken = kColumn;
  if (left.size() + 1 > kColumn) {
    left += "\n" + std::string(kColumn, ' ');
  } else {
    left.resize(kColumn, ' ');
  }
  return left + wrapped(text, kColumn, taken) + "\n";
}

// "Memory: …" begins a paragraph; other newlines are those of the source code.
std::string paragraphs(std::string_view text) {
  std::string all;
  std::string paragraph;
  const auto end_it = [&] {
    if (!paragraph.empty()) all += wrapped(paragraph, 0, 0) + "\n";
    paragraph.clear();
  };
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t letters = static_cast<std::size_t>(
        std::ranges::find_if_not(line, [](unsigned char c) { return std::isalpha(c) != 0; }) -
        line.begin());
    if (letters > 0 && line.substr(letters).starts_with(": ")) end_it();
    paragraph += std::string(line) + " ";
  }
  end_it();
  return all;
}

// ---- what there is ------------------------------------------------------------------------------

std::string usage_line(const CLI::App& command) {
  std::string line = "Usage: shunt";
  const std::string words = words_of(command);
  line += (words.empty() ? "" : " " + words) + " [OPTIONS]";
  if (!command.get_subcommands({}).empty()) return line + " COMMAND\n";
  for (const CLI::Option* const option : command.get_options()) {
    if (!option->get_positional()) continue;
    std::string name = option->get_name(true);
    if (option->get_items_expected_max() > 1) name += "...";
    line += option->get_required() ? " " + name : " [" + name + "]";
  }
  return line + "\n";
}

std::string options_of(const CLI::App& command, bool with_help) {
  std::string text;
  for (const CLI::Option* const option : command.get_options()) {
    if (option->get_positional()) continue;
    if (!with_help && (option == command.get_help_ptr() || option->check_lname("version")))
      continue;
    std::string left = option->get_name(false, true);
    if (option->get_expected_min() > 0) left += " " + option->get_type_name();
    std::string said = option->get_description();
    if (option->get_configurable()) {
      said += fmt::format(" (Env:{})", environment_name(option->get_lnames().front()));
    }
    text += entry(std::move(left), said);
  }
  return text;
}

class Help final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string /*name*/,
                        CLI::AppFormatMode /*mode*/) const override {
    return help_text(*app);
  }
};

}  // namespace

std::string words_of(const CLI::App& command) {
  if (command.get_parent() == nullptr) return {};
  const std::string above = words_of(*command.get_parent());
  return above.empty() ? command.get_name() : above + " " + command.get_name();
}

std::string help_text(const CLI::App& command) {
  const std::string words = words_of(command);
  std::string text = wrapped(command.get_description(), 0, 0) + "\n" + usage_line(command);
  std::string arguments;
  for (const CLI::Option* const option : command.get_options()) {
    if (option->get_positional())
      arguments += entry(option->get_name(true), option->get_description());
  }
  if (!arguments.empty()) text += "\nArguments:\n" + arguments;
  if (const auto commands = command.get_subcommands({}); !commands.empty()) {
    text += "\nCommands:\n";
    for (const CLI::App* const one : commands)
      text += entry(one->get_name(), one->get_description());
  }
  text += "\nOptions:\n" + options_of(command, true);
  for (const CLI::App* app = command.get_parent(); app != nullptr; app = app->get_parent()) {
    if (app->get_parent() == nullptr) text += "\nGlobal options:\n" + options_of(*app, false);
  }
  for (const Examples& examples : kExamples) {
    if (examples.command != words) continue;
    text += fmt::format("\nExamples:\n  {}\n  {}\n", examples.lines[0], examples.lines[1]);
  }
  if (const std::string footer = command.get_footer(); !footer.empty()) {
    text += "\n" + paragraphs(footer);
  }
  const std::string page = words.substr(0, words.find(' '));
  text += fmt::format("\nManual page: man shunt{}{}\n", page.empty() || page == "help" ? "" : "-",
                      page == "help" ? "" : page);
  return text;
}

void use_help(CLI::App& app) {
  app.formatter(std::make_shared<Help>());
}

}  // namespace shunt::cli
