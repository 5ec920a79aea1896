#include "shunt/io/thread.h"

#include <system_error>
#include <utility>

#include "shunt/base/catching.h"

namespace shunt::io {

struct Thread::State {
  Work work;
  Result<void> outcome;
};

Thread::Thread() noexcept = default;

Thread::Thread(std::unique_ptr<State> state)
    : state_(std::move(state)),
      thread_([kept = state_.get()]() noexcept { kept->outcome = catching(kept->work); }) {}

Result<Thread> Thread::start(Work work) {
  try {
    return Thread(std::make_unique<State>(State{std::move(work), {}}));
  } catch (const std::system_error& refused) {
    Error error = system_error(refused.code().value(), "", "start a thread");
    error.code = ErrorCode::kLocalIo;  // EAGAIN, which elsewhere means kBusy
    error.hint = "see 'ulimit -u' and 'ulimit -v'";
    return error;
  }
}

Thread::Thread(Thread&& other) noexcept = default;

Thread& Thread::operator=(Thread&& other) noexcept {
  (void)join();
  state_ = std::move(other.state_);
  thread_ = std::move(other.thread_);
  return *this;
}

Thread::~Thread() {
  (void)join();
}

Result<void> Thread::join() {
  if (!thread_.joinable()) return {};
  thread_.join();
  Result<void> outcome = std::move(state_->outcome);
  state_.reset();
  return outcome;
}

}  // namespace shunt::io
