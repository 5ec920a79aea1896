#include "workers.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "shunt/base/catching.h"
#include "shunt/io/thread.h"

namespace shunt::cli {

Result<void> for_each_number(std::size_t count, unsigned threads,
                             const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  const auto take_turns = [&]() -> Result<void> {
    return catching([&]() -> Result<void> {
      for (std::size_t i = next++; i < count; i = next++) work(i);
      return {};
    });
  };
  std::vector<io::Thread> others;
  const std::size_t wanted = std::min<std::size_t>(threads, count);
  if (wanted > 1) others.reserve(wanted - 1);
  while (others.size() + 1 < wanted) {
    auto thread = io::Thread::start(take_turns);
    if (!thread) break;
    others.push_back(std::move(*thread));
  }
  Result<void> outcome = take_turns();
  for (io::Thread& other : others) {
    Result<void> ended = other.join();
    if (outcome && !ended) outcome = std::move(ended);
  }
  return outcome;
}

}  // namespace shunt::cli
