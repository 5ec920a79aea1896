#include "support/conformance/origin.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <future>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>

#include "shunt/base/byte_range.h"
#include "support/catch.h"

namespace shunt::test {
namespace {

using Bytes = std::vector<std::byte>;

// How long a wait takes that has failed.
constexpr std::chrono::seconds kPatience{20};

// Takes the bytes of one download, and notes whatever is not as it has to be.
class Listener final : public blob::Receiver {
 public:
  Result<void> receive(std::uint64_t offset, std::span<const std::byte> bytes) override {
    const Call call(*this);
    std::unique_lock lock(mutex_);
    if (!first_) first_ = offset;
    if (bytes.empty() || offset != *first_ + received_.size()) in_order_ = false;
    received_.insert(received_.end(), bytes.begin(), bytes.end());
    begun_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    if (refuses_) {
      Error error;
      error.code = ErrorCode::kLocalIo;
      error.reason = "no more";
      return error;
    }
    return {};
  }
  void finished(Result<void> outcome) override {
    {
      const Call call(*this);
      if (destroys_) (void)handed_over_.get_future().get();
    }
    const std::lock_guard lock(mutex_);
    ++ends_;
    outcome_ = std::move(outcome);
    changed_.notify_all();
  }

  // Before the download.
  void refuse() { refuses_ = true; }
  void hold() { held_ = true; }
  void destroy_in_finished() { destroys_ = true; }

  void hand_over(std::unique_ptr<blob::Download> download) {
    handed_over_.set_value(std::move(download));
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  [[nodiscard]] bool wait_for_begin() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [this] { return begun_ || ends_ > 0; });
  }
  Result<void> wait() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, kPatience, [this] { return ends_ > 0; }));
    return *outcome_;
  }
  // From now on no call may come.
  void close() { closed_ = true; }

  // What is wrong with the calls, up to now.
  [[nodiscard]] std::string wrong() const {
    const std::lock_guard lock(mutex_);
    if (!in_order_) return "bytes came twice, not at all, or in another order";
    if (ends_ > 1) return "it ended more than once";
    if (overlapped_) return "two calls at once";
    if (late_) return "a call came after the last one, or after the download was gone";
    return {};
  }
  [[nodiscard]] bool within_call() const { return inside_ > 0; }
  [[nodiscard]] int ends() const {
    const std::lock_guard lock(mutex_);
    return ends_;
  }
  [[nodiscard]] std::optional<std::uint64_t> first() const {
    const std::lock_guard lock(mutex_);
    return first_;
  }
  [[nodiscard]] Bytes received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  // One call as long as it runs.
  struct Call {
    explicit Call(Listener& of) : listener(of) {
      if (++listener.inside_ > 1) listener.overlapped_ = true;
      if (listener.closed_ || listener.ends() > 0) listener.late_ = true;
    }
    ~Call() {
      if (listener.closed_) listener.late_ = true;
      --listener.inside_;
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    Listener& listener;
  };

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::uint64_t> first_;
  Bytes received_;
  std::optional<Result<void>> outcome_;
  std::promise<std::unique_ptr<blob::Download>> handed_over_;
  int ends_ = 0;
  bool in_order_ = true;
  bool begun_ = false;
  bool held_ = false;
  bool refuses_ = false;
  bool destroys_ = false;
  std::atomic<int> inside_{0};
  std::atomic<bool> overlapped_{false};
  std::atomic<bool> closed_{false};
  std::atomic<bool> late_{false};
};

Bytes part(const Bytes& bytes, ByteRange range) {
  return {bytes.begin() + static_cast<std::ptrdiff_t>(range.begin),
          bytes.begin() + static_cast<std::ptrdiff_t>(range.end)};
}

void check_arrived(const Listener& listener, const Bytes& bytes, ByteRange range) {
  INFO(range.begin << " to " << range.end);
  CHECK(listener.wrong() == "");
  CHECK(listener.first() == range.begin);
  CHECK((listener.received() == part(bytes, range)));
}

// Downloads `range` alone.
void download(blob::Origin& origin, const Bytes& bytes, ByteRange range) {
  Listener listener;
  const auto running = origin.start(range, listener);
  REQUIRE(running != nullptr);
  CHECK(listener.wait().has_value());
  check_arrived(listener, bytes, range);
}

void check_ranges(const OriginUnderTest& tested) {
  const auto origin = tested.open();
  const std::uint64_t size = tested.bytes.size();
  CHECK(origin->info().size == size);
  CHECK_FALSE(origin->info().name.empty());
  const blob::Traffic before = origin->traffic();
  std::uint64_t asked = 0;
  for (const ByteRange range :
       {ByteRange{0, 1}, ByteRange{0, size}, ByteRange{size - 1, size}, ByteRange{1, 2},
        ByteRange{size / 3, size / 2}, ByteRange{size / 2, size}}) {
    download(*origin, tested.bytes, range);
    asked += range.size();
  }
  CHECK(origin->serves_ranges());
  CHECK_FALSE(origin->has_changed());
  CHECK(origin->traffic().bytes - before.bytes == asked);
  CHECK(origin->traffic().requests >= before.requests + 6);
  CHECK(origin->latency() >= 0);
  CHECK(origin->rate() >= 0);
}

void check_several(const OriginUnderTest& tested) {
  const auto origin = tested.open();
  const std::uint64_t size = tested.bytes.size();
  const std::vector<ByteRange> ranges{
      {0, size / 2}, {size / 4, size}, {0, size}, {7, 8}, {size / 2, size}};
  std::list<Listener> listeners(ranges.size());
  std::vector<std::unique_ptr<blob::Download>> running;
  auto listener = listeners.begin();
  for (const ByteRange range : ranges) running.push_back(origin->start(range, *listener++));
  for (Listener& each : listeners) CHECK(each.wait().has_value());
  running.clear();
  listener = listeners.begin();
  for (const ByteRange range : ranges) check_arrived(*listener++, tested.bytes, range);
}

void check_cancel(const OriginUnderTest& tested) {
  const auto origin = tested.open();
  const ByteRange whole{0, tested.bytes.size()};
  std::list<Listener> gone;
  SECTION("at once") {
    for (int i = 0; i < 20; ++i) {
      Listener& listener = gone.emplace_back();
      (void)origin->start(whole, listener);
      listener.close();
    }
  }
  SECTION("once bytes come") {
    for (int i = 0; i < 5; ++i) {
      Listener& listener = gone.emplace_back();
      auto running = origin->start(whole, listener);
      REQUIRE(listener.wait_for_begin());
      running.reset();
      listener.close();
    }
  }
  SECTION("while a call runs, which it waits for") {
    Listener& listener = gone.emplace_back();
    listener.hold();
    auto running = origin->start(whole, listener);
    REQUIRE(listener.wait_for_begin());
    std::atomic<bool> destroying{false};
    bool within_call = true;
    std::jthread destroyer([&] {
      destroying = true;
      running.reset();
      within_call = listener.within_call();
      listener.close();
    });
    // The more of a start it gets, the surer is it seen when it does not wait.
    for (int i = 0; i < 1000 || !destroying; ++i) std::this_thread::yield();
    listener.let_go();
    destroyer.join();
    CHECK_FALSE(within_call);
    CHECK(listener.ends() == 0);
  }
  // Whatever was under way for those that went has had its time when another one is done.
  download(*origin, tested.bytes, whole);
  for (const Listener& listener : gone) CHECK(listener.wrong() == "");
}

void check_destroyed_in_finished(const OriginUnderTest& tested) {
  const auto origin = tested.open();
  const ByteRange range{10, tested.bytes.size()};
  Listener listener;
  listener.destroy_in_finished();
  listener.hand_over(origin->start(range, listener));
  CHECK(listener.wait().has_value());
  download(*origin, tested.bytes, range);
  check_arrived(listener, tested.bytes, range);
}

void check_refused(const OriginUnderTest& tested) {
  const auto origin = tested.open();
  Listener listener;
  listener.refuse();
  const ByteRange whole{0, tested.bytes.size()};
  const auto running = origin->start(whole, listener);
  const auto outcome = listener.wait();
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::kLocalIo);
  CHECK(outcome.error().reason == "no more");
  download(*origin, tested.bytes, whole);
  CHECK(listener.wrong() == "");
  CHECK(listener.received().size() < tested.bytes.size());
}

void check_whole(const OriginUnderTest& tested) {
  const auto origin = tested.open_whole();
  Listener listener;
  const auto running = origin->start({tested.bytes.size() / 2, tested.bytes.size()}, listener);
  CHECK(listener.wait().has_value());
  check_arrived(listener, tested.bytes, {0, tested.bytes.size()});
  CHECK_FALSE(origin->serves_ranges());
}

void check_broken(const OriginUnderTest& tested) {
  const auto origin = tested.open_broken();
  const std::uint64_t begin = 500;
  Listener listener;
  const auto running = origin->start({begin, tested.bytes.size()}, listener);
  const auto outcome = listener.wait();
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::kNetwork);
  CHECK(listener.received().size() >= 1000);
  check_arrived(listener, tested.bytes, {begin, begin + listener.received().size()});
}

void check_flaky(const OriginUnderTest& tested) {
  for (const OriginUnderTest::Open& open : tested.open_flaky) {
    download(*open(), tested.bytes, {500, tested.bytes.size()});
  }
}

void check_changed(const OriginUnderTest& tested) {
  const auto origin = tested.open_changed();
  Listener listener;
  const auto running = origin->start({500, tested.bytes.size()}, listener);
  CHECK_FALSE(listener.wait().has_value());
  CHECK(listener.wrong() == "");
  CHECK(listener.received().empty());
  CHECK(origin->has_changed());
}

}  // namespace

void check_origin(const OriginUnderTest& tested) {
  SECTION("a range comes whole and in order") {
    check_ranges(tested);
  }
  SECTION("several ranges at once") {
    check_several(tested);
  }
  SECTION("no call comes when the download is gone") {
    check_cancel(tested);
  }
  SECTION("a download may go in its last call") {
    check_destroyed_in_finished(tested);
  }
  SECTION("an error of the receiver is the outcome") {
    check_refused(tested);
  }
  if (tested.open_whole) {
    SECTION("all of the blob comes where the server knows no ranges") {
      check_whole(tested);
    }
  }
  if (tested.open_broken) {
    SECTION("an error ends the download once, behind the bytes that came") {
      check_broken(tested);
    }
  }
  SECTION("a download goes on where its answer broke off") {
    check_flaky(tested);
  }
  if (tested.open_changed) {
    SECTION("nothing comes of another version") {
      check_changed(tested);
    }
  }
}

}  // namespace shunt::test
