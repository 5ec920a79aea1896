#include "source_list.h"

#include <fmt/format.h>
#include <unistd.h>

#include <span>
#include <string_view>

#include "shunt/io/duplicate.h"
#include "shunt/io/file.h"

namespace shunt::cli {
namespace {

constexpr std::size_t kMaxLine = std::size_t{64} << 10;
constexpr std::size_t kMaxSources = 100'000;

class ListReader {
 public:
  explicit ListReader(std::string name) : name_(std::move(name)) {}

  // `text` is the next part of the list, cut anywhere.
  Result<void> take(std::string_view text) {
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      rest_ += text.substr(0, end);
      SHUNT_TRY(take_line());
      text.remove_prefix(end + 1);
    }
    rest_ += text;
    if (rest_.size() > kMaxLine) return failure("too long a line");
    return {};
  }

  Result<std::vector<ListedSource>> finish() {
    SHUNT_TRY(take_line());  // the last line may have no newline
    return std::move(sources_);
  }

 private:
  Result<void> take_line() {
    const std::string line = std::move(rest_);
    rest_.clear();
    ++number_;
    if (line.size() > kMaxLine) return failure("too long a line");
    std::string_view left = line;
    // Some editors put a byte order mark at the begin of a file.
    if (constexpr std::string_view kMark = "\xef\xbb\xbf";
        number_ == 1 && left.starts_with(kMark)) {
      left.remove_prefix(kMark.size());
    }
    ListedSource listed;
    for (std::string_view word = next_word(left); !word.empty(); word = next_word(left)) {
      if (listed.source.empty()) {
        if (word[0] == '#') return {};
        if (word == "-") return failure("standard input cannot be a source here");
        listed.source = word;
        continue;
      }
      const Result<RangeText> range = parse_range(word);
      if (!range) return failure(range.error().reason, range.error().hint);
      listed.ranges.push_back(*range);
    }
    if (listed.source.empty()) return {};
    if (sources_.size() == kMaxSources) {
      return failure(fmt::format("more than {} sources", kMaxSources));
    }
    sources_.push_back(std::move(listed));
    return {};
  }

  static std::string_view next_word(std::string_view& left) {
    constexpr std::string_view kBlanks = " \t\r";
    const std::size_t begin = left.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return left = {};
    left.remove_prefix(begin);
    const std::string_view word = left.substr(0, left.find_first_of(kBlanks));
    left.remove_prefix(word.size());
    return word;
  }

  [[nodiscard]] Error failure(std::string_view reason, std::string_view hint = {}) const {
    return usage(fmt::format("line {}: {}", number_, reason)).with_path(name_).with_hint(hint);
  }

  std::string name_;
  std::string rest_;  // of a line without its end
  std::size_t number_ = 0;
  std::vector<ListedSource> sources_;
};

}  // namespace

Result<std::vector<ListedSource>> read_source_list(const std::string& path,
                                                   const CancelToken& cancel) {
  io::File file;
  if (path == "-") {
    SHUNT_ASSIGN(file, io::duplicate(STDIN_FILENO, "-", "read"));
    file.set_cancel(&cancel);
  } else {
    SHUNT_ASSIGN(file, io::File::open_to_read(path));
  }
  ListReader reader(path);
  std::vector<char> buffer(kMaxLine);
  while (true) {
    SHUNT_TRY(cancel.check());
    SHUNT_ASSIGN(const std::size_t got, file.read_some(std::as_writable_bytes(std::span(buffer))));
    if (got == 0) return reader.finish();
    SHUNT_TRY(reader.take({buffer.data(), got}));
  }
}

}  // namespace shunt::cli
