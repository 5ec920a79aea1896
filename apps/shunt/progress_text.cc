#include "progress_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "shunt/text/columns.h"
#include "shunt/text/printable.h"
#include "shunt/text/size_text.h"

namespace shunt::cli {
namespace {

constexpr std::size_t kWidestBar = 24;
constexpr std::size_t kNarrowestBar = 8;
constexpr std::size_t kShortestName = 12;
constexpr std::size_t kGap = 2;

// Returns a text such as "512K" or "1.5G": at most four columns.
std::string short_size(std::uint64_t bytes) {
  constexpr std::array kUnits = {"B", "K", "M", "G", "T", "P", "E"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 999.5; ++unit) value /= 1024;
  return fmt::format("{:.{}f}{}", value, unit > 0 && value < 9.95 ? 1 : 0, kUnits[unit]);
}

// For few columns and many hours.
std::string short_time(double seconds) {
  constexpr double kTenHours = 36'000;
  if (seconds < kTenHours || seconds >= 10 * kTenHours) return time_text(seconds);
  return fmt::format("{}h", static_cast<unsigned>(seconds / 3600));
}

std::optional<double> part_of(const ProgressView& view) {
  if (view.part) return std::clamp(*view.part, 0.0, 1.0);
  if (view.total == 0) return std::nullopt;
  return std::min(1.0, static_cast<double>(view.done) / static_cast<double>(view.total));
}

std::string bar(double part, std::size_t columns) {
  const std::size_t inside = columns - 2;
  const auto filled = static_cast<std::size_t>(part * static_cast<double>(inside));
  return "[" + std::string(filled, '#') + std::string(inside - filled, '.') + "]";
}

std::string joined(const std::vector<std::string>& pieces, std::string_view gap) {
  std::string text;
  for (const std::string& piece : pieces) {
    if (piece.empty()) continue;
    if (!text.empty()) text += gap;
    text += piece;
  }
  return text;
}

// Returns the end of the line: rate and time left, or the note.
std::vector<std::string> speed(const ProgressView& view) {
  if (!view.note.empty()) return {printable(view.note)};
  std::vector<std::string> pieces = {view.rate ? format_size(*view.rate) + "/s" : "from the cache"};
  if (view.left) pieces.push_back(time_text(*view.left) + " left");
  return pieces;
}

std::string narrow(const ProgressView& view, std::size_t columns) {
  if (!view.note.empty()) {
    const std::string size = short_size(view.done);
    const std::string note = printable(view.note);
    if (size.size() + 1 + std::min<std::size_t>(columns_of(note), 12) > columns) {
      return without_end(note, columns);
    }
    return size + " " + without_end(note, columns - size.size() - 1);
  }
  const std::string rate = view.rate ? short_size(*view.rate) + "/s" : "cached";
  const std::string left = view.left ? short_time(*view.left) : std::string();
  const std::optional<double> part = part_of(view);
  std::string middle =
      joined({part ? fmt::format("{:.0f}%", std::floor(*part * 100)) : std::string(),
              view.total > 0 ? fmt::format("{} of {}", short_size(std::min(view.done, view.total)),
                                           short_size(view.total))
                             : short_size(view.done),
              rate, left},
             "  ");
  if (middle.size() <= columns) return middle;
  std::string text = short_size(view.done);
  for (const std::string& more : {rate, left}) {
    if (!more.empty() && text.size() + 1 + more.size() <= columns) text += " " + more;
  }
  return without_end(text, columns);
}

}  // namespace

std::string time_text(double seconds) {
  constexpr double kMost = 360'000;
  if (!(seconds >= 0 && seconds < kMost)) return "--:--";
  const auto whole = static_cast<unsigned>(std::lround(seconds));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string progress_text(const ProgressView& view, std::size_t columns) {
  const std::optional<double> part = part_of(view);
  std::vector<std::string> pieces;
  if (part) pieces.push_back(fmt::format("{:3.0f}%", std::floor(*part * 100)));
  const std::uint64_t done = view.total > 0 ? std::min(view.done, view.total) : view.done;
  pieces.push_back(view.total > 0
                       ? fmt::format("{} of {}", format_size(done), format_size(view.total))
                       : format_size(done));
  std::vector<std::string> end = speed(view);
  if (!view.note.empty()) {
    // The note may be long: it gets the room that the numbers leave, and at least half of the line.
    const std::size_t room = columns - std::min(columns, columns_of(joined(pieces, "  ")) + kGap);
    if (room < columns / 2) pieces.erase(pieces.begin(), pieces.end() - 1);
    const std::size_t taken = columns_of(joined(pieces, "  ")) + kGap;
    if (taken + kShortestName > columns) return narrow(view, columns);
    end = {without_end(end.front(), columns - taken)};
  }
  pieces.insert(pieces.end(), end.begin(), end.end());
  const std::size_t least = columns_of(joined(pieces, "  "));
  if (least > columns) return narrow(view, columns);

  // The rest of the room goes to the label, a bar, and a name.
  std::size_t room = columns - least;
  const std::string what = printable(view.what);
  std::vector<std::string> begin;
  if (!what.empty() && columns_of(what) + kGap <= room) {
    begin.push_back(what);
    room -= columns_of(what) + kGap;
  }
  if (part && room >= kNarrowestBar + kGap) {
    const std::size_t wide = std::min(kWidestBar, room - kGap);
    begin.push_back(bar(*part, wide));
    room -= wide + kGap;
  }
  pieces.insert(pieces.begin(), begin.begin(), begin.end());
  if (!view.name.empty() && room >= kShortestName + kGap) {
    pieces.push_back(without_beginning(printable(view.name), room - kGap));
  }
  return joined(pieces, "  ");
}

}  // namespace shunt::cli
