#include "support/scripted_origin.h"

#include <algorithm>
#include <utility>

#include "shunt/io/sha256.h"

namespace shunt::test {
namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t word(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t x = (index + 1) * 0x9e3779b97f4a7c15U + seed * 0xd1b54a32d192ed03U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

}  // namespace

void fill_noise(std::uint64_t seed, std::uint64_t offset, std::span<std::byte> into) {
  for (std::size_t i = 0; i < into.size();) {
    std::uint64_t value = word(seed, (offset + i) / 8) >> ((offset + i) % 8 * 8);
    const std::size_t count = std::min<std::size_t>(8 - (offset + i) % 8, into.size() - i);
    for (std::size_t k = 0; k < count; ++k, value >>= 8) into[i + k] = std::byte(value & 0xff);
    i += count;
  }
}

bool is_noise(std::uint64_t seed, std::uint64_t offset, std::span<const std::byte> bytes) {
  std::vector<std::byte> expected(bytes.size());
  fill_noise(seed, offset, expected);
  return std::equal(bytes.begin(), bytes.end(), expected.begin());
}

std::string noise_digest(std::uint64_t seed, std::uint64_t size) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  fill_noise(seed, 0, bytes);
  io::Sha256 sha;
  sha.update(bytes);
  return "sha256:" + sha.hex();
}

struct ScriptedOrigin::Flow {
  ByteRange range;
  blob::Receiver* receiver = nullptr;
  unsigned number = 0;
  Clock::time_point due;
  bool started = false;
  bool gone = false;  // cancelled; guarded by the origin's mutex, like held
  bool held = false;  // the receiver had no room
};

class ScriptedOrigin::Handle final : public blob::Download {
 public:
  Handle(ScriptedOrigin& origin, std::shared_ptr<Flow> flow)
      : origin_(origin), flow_(std::move(flow)) {}
  ~Handle() override {
    std::unique_lock lock(origin_.mutex_);
    flow_->gone = true;
    origin_.flows_.remove(flow_);
    if (origin_.thread_.get_id() == std::this_thread::get_id()) return;
    origin_.changed_state_.wait(lock, [&] { return origin_.current_ != flow_.get(); });
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  void resume() override {
    const std::lock_guard lock(origin_.mutex_);
    flow_->held = false;
    flow_->due = Clock::now();
    origin_.changed_state_.notify_all();
  }

 private:
  ScriptedOrigin& origin_;
  std::shared_ptr<Flow> flow_;
};

ScriptedOrigin::ScriptedOrigin(blob::Info info, OriginScript script)
    : info_(std::move(info)), script_(std::move(script)), thread_([this] { run(); }) {}

ScriptedOrigin::~ScriptedOrigin() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_state_.notify_all();
  thread_.join();
}

std::unique_ptr<blob::Download> ScriptedOrigin::start(ByteRange range, blob::Receiver& receiver) {
  auto flow = std::make_shared<Flow>();
  flow->range = range;
  flow->receiver = &receiver;
  flow->due = Clock::now() + script_.latency;
  const std::lock_guard lock(mutex_);
  requests_.push_back(range);
  flow->number = static_cast<unsigned>(requests_.size());
  flows_.push_back(flow);
  changed_state_.notify_all();
  return std::make_unique<Handle>(*this, std::move(flow));
}

std::vector<ByteRange> ScriptedOrigin::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t ScriptedOrigin::under_way() const {
  const std::lock_guard lock(mutex_);
  return flows_.size();
}

blob::Traffic ScriptedOrigin::traffic() const {
  blob::Traffic traffic;
  traffic.requests = traffic.data_requests = requests().size();
  traffic.bytes = bytes_;
  return traffic;
}

void ScriptedOrigin::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto next =
        std::ranges::min_element(flows_, {}, [](const auto& flow) { return flow->due; });
    if (next == flows_.end()) {
      changed_state_.wait(lock);
      continue;
    }
    if (const auto due = (*next)->due; due > Clock::now()) {
      changed_state_.wait_until(lock, due);
      continue;
    }
    const std::shared_ptr<Flow> flow = *next;
    current_ = flow.get();
    lock.unlock();
    const bool ended = step(*flow);
    lock.lock();
    current_ = nullptr;
    if (ended) flows_.remove(flow);
    flow->due = Clock::now() + script_.pause;
    if (flow->held) flow->due += std::chrono::hours(1);
    if (flow->range.begin >= script_.stall) flow->due += std::chrono::hours(1);
    changed_state_.notify_all();
  }
}

bool ScriptedOrigin::ready(Flow& flow, std::size_t bytes) {
  {
    // Set before the call: the receiver may resume as soon as it has returned false.
    const std::lock_guard lock(mutex_);
    flow.held = true;
  }
  if (flow.receiver->room(flow.range.begin, bytes) < bytes) return false;
  const std::lock_guard lock(mutex_);
  flow.held = false;
  return true;
}

bool ScriptedOrigin::step(Flow& flow) {
  if (!flow.started) {
    flow.started = true;
    const ByteRange whole{0, info_.size};
    if (script_.everything && flow.range != whole) {
      serves_ranges_ = false;
      flow.range = whole;
    }
  }
  if (script_.fault) {
    if (const std::optional<Error> error = script_.fault(flow.number, flow.range.begin)) {
      flow.receiver->finished(*error);
      return true;
    }
  }
  std::vector<std::byte> chunk(
      static_cast<std::size_t>(std::min<std::uint64_t>(script_.chunk, flow.range.size())));
  if (flow.range.begin < script_.stall && script_.stall - flow.range.begin < chunk.size()) {
    chunk.resize(static_cast<std::size_t>(script_.stall - flow.range.begin));
  }
  if (!ready(flow, chunk.size())) return false;
  fill_noise(script_.seed, flow.range.begin, chunk);
  bytes_ += chunk.size();
  if (script_.sent != nullptr) *script_.sent += chunk.size();
  const std::uint64_t at = flow.range.begin;
  flow.range.begin += chunk.size();
  Result<void> taken = flow.receiver->receive(at, chunk);
  {
    const std::lock_guard lock(mutex_);
    if (flow.gone) return true;
  }
  if (taken && !flow.range.empty()) return false;
  flow.receiver->finished(std::move(taken));
  return true;
}

}  // namespace shunt::test
