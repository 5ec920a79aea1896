#include "nearest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "shunt/text/ascii.h"

namespace shunt::cli {
namespace {

constexpr std::size_t kLongest = 64;  // longest word that is compared

// Returns how many letters have to be changed, inserted, deleted or swapped with the next
// (Damerau-Levenshtein, "optimal string alignment").
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t k = 0; k <= b.size(); ++k) last[k] = k;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t k = 1; k <= b.size(); ++k) {
      const std::size_t change = a[i - 1] == b[k - 1] ? 0 : 1;
      row[k] = std::min({last[k] + 1, row[k - 1] + 1, last[k - 1] + change});
      if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1]) {
        row[k] = std::min(row[k], before[k - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  if (word.empty() || word.size() > kLongest) return {};
  const std::string asked = ascii::lower(word);
  const std::string* best = nullptr;
  std::size_t least = 0;
  const std::string* begins = nullptr;
  std::size_t beginnings = 0;
  for (const std::string& one : known) {
    const std::size_t off = distance(asked, ascii::lower(one));
    if (best == nullptr || off < least) {
      best = &one;
      least = off;
    }
    if (ascii::lower(one).starts_with(asked)) {
      begins = &one;
      ++beginnings;
    }
  }
  if (beginnings == 1) return *begins;
  // Leading dashes say nothing about the word.
  const std::size_t letters = asked.size() - std::min(asked.find_first_not_of('-'), asked.size());
  if (best == nullptr || least > std::max<std::size_t>(1, letters / 3)) return {};
  return letters > 1 ? *best : std::string();
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  const std::string found = nearest(word, known);
  return found.empty() ? found : fmt::format("; did you mean '{}'?", found);
}

std::string alternatives(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 < words.size() ? ", " : " or ") + words[i];
  }
  return text;
}

std::function<std::string(const std::string&)> one_of(std::vector<std::string> known) {
  return [known = std::move(known)](const std::string& word) -> std::string {
    if (std::ranges::find(known, word) != known.end()) return {};
    return fmt::format("it takes {}, not '{}'{}", alternatives(known), word,
                       suggestion(word, known));
  };
}

}  // namespace shunt::cli
