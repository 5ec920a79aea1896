// Opens Sources by name.
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
  std::string cache_dir;                         // empty: the default directory
  std::uint64_t cache_size = kDefaultCacheSize;  // budget of the cache, in bytes; 0: no limit
  bool use_cache = true;                         // false: nothing is stored
  bool offline = false;                          // make no requests
  unsigned jobs = 8;                             // connections for all Sources together
  std::uint64_t max_rate = 0;                    // bytes per second for all together; 0: no limit
  std::vector<blob::Field> fields;  // extra request fields, sent to the host of the Source only
  const CancelToken* cancel = nullptr;
};

// What to do with a body of unknown size: spool it first, up to a limit (unsized.h), or leave it to
// the caller.
enum class IfUnsized { kSpool, kLeave };

// What all Sources opened together share: the cache, and objects of their kinds such as
// connections. Each is created on first use. Thread-safe. Outlives what it has opened.
class Session {
 public:
  // `schemes` must not be null.
  Session(std::shared_ptr<const Schemes> schemes, SessionOptions options)
      : schemes_(std::move(schemes)), options_(std::move(options)) {}

  // Opens a Source. `part` selects a part if there are several: a layer of an image ("0", "1", …,
  // or a digest; empty if there is only one). Otherwise it must be empty (kUsage).
  Result<Opened> open(const std::string& name, const std::string& part = {},
                      IfUnsized if_unsized = IfUnsized::kSpool);
  // Returns the possible values of `part`; a single empty one for a Source without parts.
  Result<std::vector<std::string>> parts(const std::string& name);

  [[nodiscard]] const Schemes& schemes() const { return *schemes_; }
  [[nodiscard]] const SessionOptions& options() const { return options_; }
  // Returns the cache; null if it is not wanted or cannot be used, which is logged once.
  std::shared_ptr<cache::Cache> cache();

  // Returns the object of type T that a kind of Source keeps in the session; created by `make()`
  // (which returns a shared_ptr<T>) on first use.
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
