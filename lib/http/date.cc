// HTTP dates (RFC 9110, 5.6.7): the current format, and two obsolete ones that must still be
// understood.
#include <array>
#include <chrono>
#include <string_view>

#include "shunt/http/fields.h"

namespace shunt::http {

namespace {

// Parses a date from the left; each step returns whether it matched.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool literal(std::string_view expected) {
    if (!text_.starts_with(expected)) return false;
    text_.remove_prefix(expected.size());
    return true;
  }
  [[nodiscard]] bool number(std::size_t digits, int& value) {
    if (text_.size() < digits) return false;
    value = 0;
    for (const char c : text_.substr(0, digits)) {
      if (c < '0' || c > '9') return false;
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(digits);
    return true;
  }
  template <std::size_t N>
  [[nodiscard]] bool one_of(const std::array<std::string_view, N>& words, int& index) {
    for (std::size_t i = 0; i < N; ++i) {
      if (literal(words[i])) {
        index = static_cast<int>(i);
        return true;
      }
    }
    return false;
  }
  [[nodiscard]] bool time() {
    return number(2, hour_) && literal(":") && number(2, minute_) && literal(":") &&
           number(2, second_);
  }
  [[nodiscard]] bool at_end() const { return text_.empty(); }
  [[nodiscard]] std::string_view rest() const { return text_; }

  [[nodiscard]] std::optional<std::int64_t> seconds(int year, int month, int day) const {
    using namespace std::chrono;
    const year_month_day date(std::chrono::year(year),
                              std::chrono::month(static_cast<unsigned>(month)),
                              std::chrono::day(static_cast<unsigned>(day)));
    // 60 is a leap second.
    if (!date.ok() || hour_ > 23 || minute_ > 59 || second_ > 60) return std::nullopt;
    const auto days = static_cast<std::int64_t>(sys_days(date).time_since_epoch().count());
    return ((days * 24 + hour_) * 60 + minute_) * 60 + second_;
  }

 private:
  std::string_view text_;
  int hour_ = 0;
  int minute_ = 0;
  int second_ = 0;
};

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> kLongDays = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

// Sun, 06 Nov 1994 08:49:37 GMT
std::optional<std::int64_t> imf_fixdate(std::string_view value) {
  DateReader reader(value);
  int name = 0, day = 0, month = 0, year = 0;
  if (!reader.one_of(kDays, name) || !reader.literal(", ") || !reader.number(2, day) ||
      !reader.literal(" ") || !reader.one_of(kMonths, month) || !reader.literal(" ") ||
      !reader.number(4, year) || !reader.literal(" ") || !reader.time() ||
      !reader.literal(" GMT") || !reader.at_end()) {
    return std::nullopt;
  }
  return reader.seconds(year, month + 1, day);
}

// Sunday, 06-Nov-94 08:49:37 GMT
std::optional<std::int64_t> rfc850_date(std::string_view value) {
  DateReader reader(value);
  int name = 0, day = 0, month = 0, year = 0;
  if (!reader.one_of(kLongDays, name) || !reader.literal(", ") || !reader.number(2, day) ||
      !reader.literal("-") || !reader.one_of(kMonths, month) || !reader.literal("-") ||
      !reader.number(2, year) || !reader.literal(" ") || !reader.time() ||
      !reader.literal(" GMT") || !reader.at_end()) {
    return std::nullopt;
  }
  // Two-digit years: none is more than 50 years in the future, and nothing on the web is older than
  // 1970.
  return reader.seconds(year < 70 ? 2000 + year : 1900 + year, month + 1, day);
}

// Sun Nov  6 08:49:37 1994
std::optional<std::int64_t> asctime_date(std::string_view value) {
  DateReader reader(value);
  int name = 0, day = 0, month = 0, year = 0;
  if (!reader.one_of(kDays, name) || !reader.literal(" ") || !reader.one_of(kMonths, month) ||
      !reader.literal(" ")) {
    return std::nullopt;
  }
  if (!(reader.literal(" ") ? reader.number(1, day) : reader.number(2, day))) return std::nullopt;
  if (!reader.literal(" ") || !reader.time() || !reader.literal(" ") || !reader.number(4, year) ||
      !reader.at_end()) {
    return std::nullopt;
  }
  return reader.seconds(year, month + 1, day);
}

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view value) {
  if (const auto date = imf_fixdate(value)) return date;
  if (const auto date = rfc850_date(value)) return date;
  return asctime_date(value);
}

}  // namespace shunt::http
