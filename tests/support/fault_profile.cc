#include "support/fault_profile.h"

#include <fmt/format.h>

#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>

namespace shunt::test {

namespace {

Fault fault_of(const std::string& kind, std::minstd_rand& random) {
  Fault fault;
  const auto somewhere = [&random] { return std::uint64_t{random()} % (1 << 20); };
  if (kind == "whole") {
    fault.ignore_range = true;
  } else if (kind == "start") {
    fault.start_off = 1;
  } else if (kind == "end") {
    fault.end_off = -1;
  } else if (kind == "total") {
    fault.total_off = 1;
  } else if (kind == "cut") {
    fault.cut_at = somewhere();
  } else if (kind == "reset") {
    fault.cut_at = somewhere();
    fault.reset = true;
  } else if (kind == "close") {
    fault.no_answer = true;
  } else if (kind == "slow") {
    fault.rate = 64 << 10;
  } else if (kind == "corrupt") {
    fault.corrupt = true;
  } else if (kind == "chunked") {
    fault.no_length = true;
  } else if (kind == "unsized") {
    fault.ignore_range = true;
    fault.no_length = true;
  } else if (kind == "etag") {
    fault.etag = "\"another\"";
    fault.ignore_condition = true;
  } else if (kind.size() == 3 && kind.find_first_not_of("0123456789") == std::string::npos) {
    fault.status = std::stoi(kind);
    fault.body_text = "this is on purpose\n";
    if (fault.status == 429 || fault.status == 503) fault.fields = {{"Retry-After", "0"}};
  } else {
    throw std::invalid_argument(fmt::format("no such fault: {}", kind));
  }
  return fault;
}

struct Profile {
  std::mutex mutex;
  std::minstd_rand random;
  std::vector<std::pair<std::string, double>> kinds;
  std::uint64_t left = ~std::uint64_t{0};
};

}  // namespace

FaultServer::Judge make_fault_profile(const std::string& spec) {
  const auto profile = std::make_shared<Profile>();
  std::istringstream words(spec);
  for (std::string word; std::getline(words, word, ',');) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) throw std::invalid_argument("no '=' in: " + word);
    const std::string kind = word.substr(0, equals);
    const std::string value = word.substr(equals + 1);
    if (kind == "seed") {
      profile->random.seed(static_cast<unsigned>(std::stoul(value)));
    } else if (kind == "most") {
      profile->left = std::stoull(value);
    } else {
      std::minstd_rand unused;
      static_cast<void>(fault_of(kind, unused));
      profile->kinds.emplace_back(kind, std::stod(value));
    }
  }
  return [profile](const SeenRequest&) {
    const std::lock_guard lock(profile->mutex);
    double chance = std::uniform_real_distribution<double>(0, 1)(profile->random);
    for (const auto& [kind, probability] : profile->kinds) {
      chance -= probability;
      if (chance >= 0 || profile->left == 0) continue;
      --profile->left;
      return fault_of(kind, profile->random);
    }
    return Fault();
  };
}

}  // namespace shunt::test
