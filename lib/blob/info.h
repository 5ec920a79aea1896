// What is known of a blob before any of its bytes are read.
#pragma once

#include <cstdint>
#include <string>

namespace shunt::blob {

// How long an answer may be used without asking again (RFC 9111, 4.2).
struct Freshness {
  std::int64_t since = 0;  // when it was answered, by this machine's clock, seconds since the epoch
  std::int64_t seconds = 0;  // for how long from then on; 0: ask each time

  // A time in the future is not believed: the clock was wrong then, or is now.
  [[nodiscard]] constexpr bool at(std::int64_t now) const {
    return 0 <= since && since <= now && now - since < seconds;
  }
  // Both have to hold.
  [[nodiscard]] constexpr Freshness and_also(const Freshness& other) const {
    return seconds <= other.seconds ? *this : other;
  }
  friend constexpr bool operator==(const Freshness&, const Freshness&) = default;
};

// What is known of a blob before any of its bytes are read. A value.
struct Info {
  // For people: the URL without credentials, or "docker://host/repo@sha256:…".
  std::string name;
  // "sha256:<64 hex digits>" when the whole blob has to have this digest; empty: none is known.
  std::string digest;
  // What the server says to tell one version from another: a strong ETag with its quotes, or an
  // HTTP date of Last-Modified (RFC 9110, 8.8). Empty: nothing does, and no byte of the blob may be
  // kept for another run.
  std::string validator;
  // Where redirects have led, as a hash: a validator tells apart the versions of one resource, and
  // nothing across two (RFC 9110, 8.8.1). Empty: there was no redirect, or there is a digest.
  std::string place;
  std::uint64_t size = 0;
  Freshness freshness;
  // The server forbids to store the answer (Cache-Control: no-store): no byte of the blob may be
  // kept for another run. Not known of a blob that has not been asked about yet.
  bool no_store = false;
};

}  // namespace shunt::blob
