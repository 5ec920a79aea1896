// Parses WWW-Authenticate (RFC 9110, 11.6.1). A comma separates both challenges and parameters;
// what follows the next word shows which it was.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "shunt/http/fields.h"
#include "shunt/text/ascii.h"

namespace shunt::http {

namespace {

constexpr std::size_t kMaxChallenges = 16;
constexpr std::size_t kMaxParameters = 32;

class ChallengeReader {
 public:
  explicit ChallengeReader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return text_.empty(); }
  void skip_blanks() { skip(" \t"); }
  void skip_separators() { skip(" \t,"); }
  [[nodiscard]] bool take(char expected) {
    if (text_.empty() || text_.front() != expected) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Returns an empty text if there is none.
  [[nodiscard]] std::string_view token() {
    const auto end = std::find_if_not(text_.begin(), text_.end(), is_token_character);
    const auto word = text_.substr(0, static_cast<std::size_t>(end - text_.begin()));
    text_.remove_prefix(word.size());
    return word;
  }
  // Reads a quoted string or a token; nullopt if there is neither, or if the quotes are not closed.
  [[nodiscard]] std::optional<std::string> value() {
    if (!take('"')) {
      const auto word = token();
      if (word.empty()) return std::nullopt;
      return std::string(word);
    }
    std::string result;
    while (!text_.empty()) {
      char c = text_.front();
      text_.remove_prefix(1);
      if (c == '"') return result;
      if (c == '\\' && !text_.empty()) {
        c = text_.front();
        text_.remove_prefix(1);
      }
      result += c;
    }
    return std::nullopt;
  }
  // Skips to after the next comma outside quotes.
  void skip_element() {
    bool quoted = false;
    while (!text_.empty()) {
      const char c = text_.front();
      text_.remove_prefix(1);
      if (quoted && c == '\\' && !text_.empty()) {
        text_.remove_prefix(1);
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        return;
      }
    }
  }
  // Reads "name = value"; if there is none, reads nothing.
  [[nodiscard]] std::optional<std::pair<std::string, std::string>> parameter() {
    const std::string_view before = text_;
    const std::string name = ascii::lower(token());
    skip_blanks();
    if (!name.empty() && take('=')) {
      skip_blanks();
      auto read = value();
      skip_blanks();
      if (read && (text_.empty() || text_.front() == ',')) return std::pair(name, std::move(*read));
    }
    text_ = before;
    return std::nullopt;
  }

 private:
  void skip(std::string_view characters) {
    text_.remove_prefix(std::min(text_.find_first_not_of(characters), text_.size()));
  }

  std::string_view text_;
};

}  // namespace

std::vector<Challenge> parse_challenges(std::string_view value) {
  std::vector<Challenge> found;
  ChallengeReader reader(value);
  for (reader.skip_separators(); !reader.at_end(); reader.skip_separators()) {
    if (!found.empty()) {
      if (auto parameter = reader.parameter()) {
        auto& known = found.back().parameters;
        // If a name occurs twice, the first one counts.
        if (known.size() < kMaxParameters) known.insert(std::move(*parameter));
        continue;
      }
    }
    const auto scheme = reader.token();
    const bool apart = !reader.at_end() && (reader.take(' ') || reader.take('\t'));
    if (scheme.empty() || (!apart && !reader.at_end() && !reader.take(','))) {
      reader.skip_element();
      continue;
    }
    if (found.size() == kMaxChallenges) break;
    found.push_back({ascii::lower(scheme), {}});
    reader.skip_blanks();
    if (!apart || reader.at_end()) continue;
    if (auto parameter = reader.parameter()) {
      found.back().parameters.insert(std::move(*parameter));
    } else if (!reader.take(',')) {
      reader.skip_element();  // a token68, or something invalid
    }
  }
  return found;
}

}  // namespace shunt::http
