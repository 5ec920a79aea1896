#include "progress_bar.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "progress_line.h"
#include "shunt/base/waiting.h"

namespace shunt::cli {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr double kFirstDraw = 0.5;       // seconds after the start
constexpr double kLookBack = 5;          // period from which the rate is computed, in seconds
constexpr double kPause = 0.5;           // seconds without a byte after which a wait is shown
constexpr double kStall = 2;             // seconds without a byte that count as a stall
constexpr double kWorthGuessing = 0.01;  // fraction of the work needed before a time is estimated

}  // namespace

// ---- those that work ----------------------------------------------------------------------------

ProgressBar::Part::Part(ProgressBar& bar, std::string name)
    : bar_(bar), name_(std::move(name)), at_(bar.add(*this)) {}

ProgressBar::Part::~Part() {
  bar_.finish(at_);
}

void ProgressBar::Part::begin(std::string_view what, std::uint64_t total) {
  bar_.begin(*at_, what, total);
}

void ProgressBar::Part::advance(std::uint64_t bytes) {
  bar_.worked_ += bytes;
  bar_.count(*this, bytes);
}

void ProgressBar::Part::skip(std::uint64_t bytes) {
  skipped_ += bytes;
  bar_.count(*this, bytes);
}

std::list<ProgressBar::Shown>::iterator ProgressBar::add(Part& part) {
  const Lock lock(mutex_);
  return parts_.insert(parts_.end(), {&part, {}, 0});
}

void ProgressBar::begin(Shown& shown, std::string_view what, std::uint64_t total) {
  const Lock lock(mutex_);
  shown.what = what;
  shown.total = total;
  shown.part->done_ = 0;
  shown.part->skipped_ = 0;
  // Another kind of work has another rate.
  if (expected_ <= 1) sample_anew();
}

void ProgressBar::finish(std::list<Shown>::iterator shown) {
  const Lock lock(mutex_);
  Part* part = shown->part;
  last_.compare_exchange_strong(part, nullptr);
  ++finished_;
  skipped_ += shown->skipped();
  parts_.erase(shown);
}

void ProgressBar::count(Part& part, std::uint64_t bytes) {
  part.done_ += bytes;
  moved_ += bytes;
  last_ = &part;
}

// ---- the one that draws -------------------------------------------------------------------------

double ProgressBar::Shown::skipped() const {
  if (total == 0) return 0;
  return std::min(1.0, static_cast<double>(part->skipped_) / static_cast<double>(total));
}

void ProgressBar::start(const Globals& globals, std::string_view what) {
  if (running_ || !globals.shows_progress()) return;
  {
    const Lock lock(mutex_);
    what_ = what;
    stopwatch_ = {};
    sample_anew();
  }
  auto thread = io::Thread::start([this] { return draw_until_stopped(); });
  if (!thread) return;  // no room for a thread: only the drawing is lost
  thread_ = std::move(*thread);
  running_ = true;
}

void ProgressBar::expect(std::size_t parts, std::string_view noun) {
  const Lock lock(mutex_);
  expected_ = parts;
  noun_ = noun;
}

void ProgressBar::stop() {
  if (!running_) return;
  {
    const Lock lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  (void)thread_.join();
  running_ = false;
  wipe_progress_line();
}

Result<void> ProgressBar::draw_until_stopped() {
  while (true) {
    ProgressView view;
    {
      const Lock lock(mutex_);
      const auto stop = [this]() SHUNT_REQUIRES(mutex_) { return stop_; };
      if (stopping_.wait_for(mutex_, kRedraw, stop)) return {};
      const double now = stopwatch_.seconds();
      take_sample(now);
      if (now < kFirstDraw) continue;
      view = look();
    }
    // Leaves the last column free, where some terminals wrap.
    const std::size_t columns = terminal_columns();
    draw_progress_line(progress_text(view, columns - std::min<std::size_t>(columns, 1)));
  }
}

void ProgressBar::sample_anew() {
  samples_.clear();
  samples_.push_back({stopwatch_.seconds(), moved_, worked_});
}

void ProgressBar::take_sample(double now) {
  const Sample sample{now, moved_, worked_};
  if (sample.moved != samples_.back().moved) moved_at_ = now;
  samples_.push_back(sample);
  while (samples_.size() > 2 && now - samples_[1].at >= kLookBack) samples_.pop_front();
}

ProgressView ProgressBar::look() {
  const double now = stopwatch_.seconds();
  ProgressView view = expected_ > 1 ? view_of_parts(now) : view_of_one();
  view.note = obstacle(now);
  const Sample& first = samples_.front();
  const Sample& last = samples_.back();
  const double seconds = last.at - first.at;
  if (seconds <= 0) {
    view.rate = 0;
    return view;
  }
  const double moved = static_cast<double>(last.moved - first.moved) / seconds;
  const double worked = static_cast<double>(last.worked - first.worked) / seconds;
  if (worked > 0 || moved <= 0) view.rate = static_cast<std::uint64_t>(worked);
  // Cached bytes passed at once; the rest has to be fetched.
  const double pace = worked > 0 ? worked : moved;
  if (!view.left && pace > 0 && view.total > 0) {
    view.left = static_cast<double>(view.total - std::min(view.total, view.done)) / pace;
  }
  return view;
}

ProgressView ProgressBar::view_of_one() const {
  ProgressView view;
  view.what = what_;
  if (parts_.empty()) return view;
  const Shown& shown = parts_.front();
  if (!shown.what.empty()) view.what = shown.what;
  view.name = shown.part->name_;
  view.done = shown.part->done_;
  view.total = shown.total;
  return view;
}

// The size of a file is only known when it begins: each file counts alike.
ProgressView ProgressBar::view_of_parts(double now) const {
  ProgressView view;
  view.what = fmt::format("{}/{} {}", finished_, expected_, noun_);
  view.done = moved_;
  auto done = static_cast<double>(finished_);
  double skipped = skipped_;
  for (const Shown& shown : parts_) {
    if (shown.part == last_) view.name = shown.part->name_;
    if (shown.total == 0) continue;
    done +=
        std::min(1.0, static_cast<double>(shown.part->done_) / static_cast<double>(shown.total));
    skipped += shown.skipped();
  }
  view.part = done / static_cast<double>(expected_);
  // Cached bytes took no time.
  const double worked = (done - skipped) / static_cast<double>(expected_);
  const double paced = worked > kWorthGuessing ? worked : *view.part;
  if (paced > kWorthGuessing) view.left = now * (1 - *view.part) / paced;
  return view;
}

std::string ProgressBar::obstacle(double now) const {
  const double still = now - moved_at_;
  if (still < kPause) return {};
  if (std::string told = waiting_for(); !told.empty()) return told;
  return still < kStall ? std::string() : "stalled " + time_text(still);
}

}  // namespace shunt::cli
