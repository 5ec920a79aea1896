// A Source that was opened by its name, and what is known of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "shunt/blob/origin.h"
#include "shunt/blob/traffic.h"
#include "shunt/io/far_away.h"
#include "shunt/io/source.h"
#include "shunt/source/unsized.h"

namespace shunt::source {

// A value; shares ownership.
struct Opened {
  io::SourcePtr source;                        // null for what is not sized
  std::shared_ptr<const Unsized> unsized;      // a body whose size nobody tells; null for others
  std::shared_ptr<const blob::Origin> origin;  // where its bytes come from; null: nothing is asked
  std::string name;                            // for people
  std::string identity;                        // the digest, or URL and validator; empty: none
  std::string digest;                          // that the whole has to have; empty: none is known
  blob::Traffic opening;  // what opening has cost, besides the origin's own traffic
  bool is_part = false;   // of a larger thing, such as a layer of an image
  std::map<std::string, std::string> annotations;  // of a part

  // Where its bytes have to come from far away; null for what is here, and for what is not sized.
  [[nodiscard]] const io::FarAway* far_away() const {
    return source == nullptr ? nullptr : source->far_away();
  }
  // All together, up to now.
  [[nodiscard]] blob::Traffic traffic() const {
    return origin == nullptr ? opening : opening + origin->traffic();
  }
  [[nodiscard]] std::uint64_t bytes_fetched() const {
    return far_away() == nullptr ? traffic().bytes : far_away()->bytes_fetched();
  }
  // Whether there is another version of it by now: what is missing will not come.
  [[nodiscard]] bool has_changed() const { return origin != nullptr && origin->has_changed(); }
};

}  // namespace shunt::source
