#include "shunt/io/patience.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "shunt/base/log.h"

namespace shunt::io {
namespace {

constexpr std::chrono::microseconds kLongestPause{10'000};
constexpr std::chrono::milliseconds kWorthTelling{500};

}  // namespace

Patience::Patience(std::chrono::milliseconds limit, const CancelToken* cancel, std::string what)
    : limit_(limit), cancel_(cancel), what_(std::move(what)) {}

Result<void> Patience::pause() {
  SHUNT_TRY(check_cancel(cancel_));
  const auto waited = Clock::now() - began_;
  if (waited >= limit_) return over();
  if (!told_ && waited >= kWorthTelling) {
    told_.emplace(fmt::format("locked by another process: {}", what_));
    log::info("{}: waiting for another process that has it locked", what_);
  }
  std::this_thread::sleep_for(
      std::min<Clock::duration>(next_, limit_ - waited + std::chrono::microseconds(1)));
  next_ = std::min(next_ * 2, kLongestPause);
  return {};
}

Error Patience::over() const {
  Error error = system_error(EWOULDBLOCK, what_, "lock");
  error.reason = fmt::format("another process has held the lock for more than {:g} s",
                             std::chrono::duration<double>(limit_).count());
  error.hint = "it may be suspended: try again when it continues or has ended";
  return error;
}

}  // namespace shunt::io
