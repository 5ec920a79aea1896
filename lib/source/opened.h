// A Source that was opened by name, and what is known of it.
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
  io::SourcePtr source;                        // null if its size is unknown
  std::shared_ptr<const Unsized> unsized;      // a body of unknown size; otherwise null
  std::shared_ptr<const blob::Origin> origin;  // the server that its bytes come from; null: none
  std::string name;                            // for people
  std::string identity;                        // digest, or URL and validator; empty: none
  std::string digest;                          // expected digest of the whole; empty: unknown
  blob::Traffic opening;                       // cost of opening, besides the origin's own traffic
  bool is_part = false;  // part of a larger thing, such as a layer of an image
  std::map<std::string, std::string> annotations;  // only of a part

  // Returns the FarAway of the source; null if it is local or of unknown size.
  [[nodiscard]] const io::FarAway* far_away() const {
    return source == nullptr ? nullptr : source->far_away();
  }
  // Returns all traffic so far.
  [[nodiscard]] blob::Traffic traffic() const {
    return origin == nullptr ? opening : opening + origin->traffic();
  }
  [[nodiscard]] std::uint64_t bytes_fetched() const {
    return far_away() == nullptr ? traffic().bytes : far_away()->bytes_fetched();
  }
  // Returns true if the server has another version by now, so that missing bytes cannot be fetched.
  [[nodiscard]] bool has_changed() const { return origin != nullptr && origin->has_changed(); }
};

}  // namespace shunt::source
