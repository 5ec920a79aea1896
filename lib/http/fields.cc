#include "shunt/http/fields.h"

#include <algorithm>
#include <limits>

#include "shunt/base/checked.h"
#include "shunt/text/ascii.h"

namespace shunt::http {

namespace {

constexpr std::uint64_t kMaxLength = std::numeric_limits<std::int64_t>::max();

// Parses 1*DIGIT and nothing else; nullopt above 2^64 - 1 too.
std::optional<std::uint64_t> digits(std::string_view text) {
  return ascii::parse_number<std::uint64_t>(text);
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, ascii::is_digit);
}

Error bad_range(std::string_view why) {
  return corrupt(std::string("Content-Range: ").append(why));
}

}  // namespace

bool is_token_character(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return ascii::is_alphanumeric(c) || kOthers.find(c) != std::string_view::npos;
}

Result<ContentRange> parse_content_range(std::string_view value) {
  value = ascii::trimmed(value);
  const auto space = value.find(' ');
  if (space == std::string_view::npos ||
      !ascii::equal_ignoring_case(value.substr(0, space), "bytes")) {
    return bad_range("its unit is not bytes");
  }
  value.remove_prefix(space + 1);
  const auto slash = value.find('/');
  if (slash == std::string_view::npos) return bad_range("it has no total");
  const std::string_view range_text = value.substr(0, slash);
  const std::string_view total_text = value.substr(slash + 1);

  ContentRange parsed;
  if (total_text != "*") {
    parsed.total = digits(total_text);
    if (!parsed.total) return bad_range("its total is not a number");
  }
  if (range_text == "*") {
    if (!parsed.total) return bad_range("it has neither range nor total");
    return parsed;
  }
  const auto dash = range_text.find('-');
  if (dash == std::string_view::npos) return bad_range("it is not a range");
  const auto first = digits(range_text.substr(0, dash));
  const auto last = digits(range_text.substr(dash + 1));
  if (!first || !last) return bad_range("it is not a range of numbers");
  const auto end = checked_add<std::uint64_t>(*last, 1);
  if (!end || *last < *first) return bad_range("its range is reversed or too large");
  if (parsed.total && *end > *parsed.total) return bad_range("its range is beyond its total");
  parsed.range = ByteRange{*first, *end};
  return parsed;
}

std::optional<std::uint64_t> parse_content_length(std::string_view list) {
  std::optional<std::uint64_t> length;
  for (;;) {
    const std::size_t comma = list.find(',');
    const auto value = digits(ascii::trimmed(list.substr(0, comma)));
    if (!value || *value > kMaxLength || (length && *length != *value)) return std::nullopt;
    length = value;
    if (comma == std::string_view::npos) return length;
    list.remove_prefix(comma + 1);
  }
}

std::optional<std::int64_t> parse_retry_after(std::string_view value, std::int64_t now) {
  value = ascii::trimmed(value);
  if (all_digits(value)) {
    const auto seconds = digits(value);
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    if (!seconds || *seconds > static_cast<std::uint64_t>(kMost)) return kMost;
    return static_cast<std::int64_t>(*seconds);
  }
  const auto date = parse_http_date(value);
  if (!date) return std::nullopt;
  return std::max<std::int64_t>(0, *date - now);
}

bool is_etag(std::string_view value) {
  if (value.starts_with("W/")) value.remove_prefix(2);
  return is_strong_etag(value);
}

bool is_strong_etag(std::string_view value) {
  if (value.size() < 3 || value.front() != '"' || value.back() != '"') return false;
  value = value.substr(1, value.size() - 2);
  // etagc: %x21 / %x23-7E / obs-text
  return std::all_of(value.begin(), value.end(), [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return code == 0x21 || (code >= 0x23 && code != 0x7f);
  });
}

namespace {

// What Cache-Control says about freshness.
struct Directives {
  bool no_store = false;
  bool never = false;  // no-store, no-cache, or an invalid max-age
  std::optional<std::int64_t> max_age;
};

// Seconds of a field; nullopt if it is not a number. More than kLongest is practically for ever.
constexpr std::int64_t kLongest = std::int64_t{1} << 31;
std::optional<std::int64_t> delta_seconds(std::string_view text) {
  if (!all_digits(text)) return std::nullopt;
  const auto value = digits(text);
  if (!value || *value > static_cast<std::uint64_t>(kLongest)) return kLongest;
  return static_cast<std::int64_t>(*value);
}

// Returns the end of the list element at 0: the next comma outside quotes.
std::size_t element_end(std::string_view list) {
  bool quoted = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (quoted && list[i] == '\\') {
      ++i;
    } else if (list[i] == '"') {
      quoted = !quoted;
    } else if (list[i] == ',' && !quoted) {
      return i;
    }
  }
  return list.size();
}

Directives parse_cache_control(std::string_view list) {
  Directives found;
  while (!list.empty()) {
    const std::size_t end = element_end(list);
    const std::string_view element = ascii::trimmed(list.substr(0, end));
    list.remove_prefix(std::min(list.size(), end + 1));
    const auto equals = element.find('=');
    const std::string_view name = ascii::trimmed(element.substr(0, equals));
    const bool no_store = ascii::equal_ignoring_case(name, "no-store");
    found.no_store = found.no_store || no_store;
    if (no_store || ascii::equal_ignoring_case(name, "no-cache")) {
      found.never = true;
    } else if (ascii::equal_ignoring_case(name, "max-age")) {
      std::string_view argument = equals == std::string_view::npos
                                      ? std::string_view()
                                      : ascii::trimmed(element.substr(equals + 1));
      if (argument.size() >= 2 && argument.front() == '"' && argument.back() == '"') {
        argument = argument.substr(1, argument.size() - 2);
      }
      const auto seconds = delta_seconds(argument);
      if (!seconds) found.never = true;
      // If given twice, the smaller value counts.
      if (seconds) found.max_age = std::min(*seconds, found.max_age.value_or(*seconds));
    }
  }
  return found;
}

}  // namespace

bool forbids_storing(std::string_view cache_control) {
  return parse_cache_control(cache_control).no_store;
}

std::int64_t fresh_for(std::string_view cache_control, std::string_view expires,
                       std::string_view date, std::string_view age, std::int64_t now) {
  const Directives directives = parse_cache_control(cache_control);
  if (directives.never) return 0;
  date = ascii::trimmed(date);
  const auto sent = parse_http_date(date);
  if (!date.empty() && !sent) return 0;
  // `immutable` adds no time: it says not to ask while the answer is fresh, which shunt does
  // anyway.
  std::int64_t lifetime = 0;
  if (directives.max_age) {
    lifetime = *directives.max_age;
  } else {
    const auto until = parse_http_date(ascii::trimmed(expires));
    if (!until) return 0;
    lifetime = std::min(kLongest, *until - sent.value_or(now));
  }
  // A cache on the way may have stored it for a while without saying so.
  std::int64_t spent = std::max<std::int64_t>(0, now - sent.value_or(now));
  if (!ascii::trimmed(age).empty()) {
    const auto seconds = delta_seconds(ascii::trimmed(age));
    if (!seconds) return 0;
    spent = std::max(spent, *seconds);
  }
  return std::max<std::int64_t>(0, lifetime - spent);
}

}  // namespace shunt::http
