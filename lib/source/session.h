// Opens Sources by the names that people type.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <typeindex>
#include <vector>

#include "shunt/base/cancel.h"
#include "shunt/base/mutex.h"
#include "shunt/base/result.h"
#include "shunt/blob/request.h"
#include "shunt/cache/cache.h"
#include "shunt/source/opened.h"
#include "shunt/source/schemes.h"

namespace shunt::source {

inline constexpr std::uint64_t kDefaultCacheSize = std::uint64_t{10} << 30;

struct SessionOptions {
  std::string cache_dir;                         // empty: the default one
  std::uint64_t cache_size = kDefaultCacheSize;  // budget of the cache; 0: none
  bool use_cache = true;                         // false: leave nothing behind
  bool offline = false;                          // no request is made
  unsigned jobs = 8;                             // connections, over all Sources
  std::uint64_t max_rate = 0;                    // bytes a second over all; 0: no limit
  std::vector<blob::Field> fields;               // sent along, to the host of the Source only
  const CancelToken* cancel = nullptr;
};

// What becomes of a body of unknown size: all of it is read first, within a bound (unsized.h), or
// the caller reads it.
enum class IfUnsized { kSpool, kLeave };

// What all Sources that are opened together share: the cache, and what their kinds need, such as
// connections. Each is started when it is first needed. Thread-safe. It outlives what it has
// opened.
class Session {
 public:
  // `schemes` is not null.
  Session(std::shared_ptr<const Schemes> schemes, SessionOptions options)
      : schemes_(std::move(schemes)), options_(std::move(options)) {}

  // `part` is for what has parts: a layer of an image ("0", "1", …, or a digest; empty where there
  // is but one). It must be empty for anything else (kUsage).
  Result<Opened> open(const std::string& name, const std::string& part = {},
                      IfUnsized if_unsized = IfUnsized::kSpool);
  // What `part` may be; one that is empty for what has no parts.
  Result<std::vector<std::string>> parts(const std::string& name);

  [[nodiscard]] const Schemes& schemes() const { return *schemes_; }
  [[nodiscard]] const SessionOptions& options() const { return options_; }
  // The cache; null where it is not wanted or cannot be used, which is logged once.
  std::shared_ptr<cache::Cache> cache();

  // What a kind of Source keeps for as long as the session: one object of each type, made by
  // `make()` (a shared_ptr<T>) when it is first asked for.
  template <typename T, typename Make>
  std::shared_ptr<T> kept(Make make) {
    const Lock lock(mutex_);
    std::shared_ptr<void>& place = kept_[std::type_index(typeid(T))];
    if (place == nullptr) place = make();
    return std::static_pointer_cast<T>(place);
  }

 private:
  const std::shared_ptr<const Schemes> schemes_;
  const SessionOptions options_;
  Mutex mutex_;
  std::map<std::type_index, std::shared_ptr<void>> kept_ SHUNT_GUARDED_BY(mutex_);
  std::shared_ptr<cache::Cache> cache_ SHUNT_GUARDED_BY(mutex_);
  bool cache_tried_ SHUNT_GUARDED_BY(mutex_) = false;
};

}  // namespace shunt::source
