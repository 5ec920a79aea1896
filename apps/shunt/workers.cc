#include "workers.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace shunt::cli {

void for_each_number(std::size_t count, unsigned threads,
                     const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  const auto take_turns = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < std::min<std::size_t>(threads, count); ++i) {
    others.emplace_back(take_turns);
  }
  take_turns();
  for (std::thread& other : others) other.join();
}

}  // namespace shunt::cli
