// What is known of a blob before any of its bytes are read.
#pragma once

#include <cstdint>
#include <string>

namespace shunt::blob {

// How long an answer may be used without asking the server again (RFC 9111, 4.2).
struct Freshness {
  std::int64_t since = 0;    // time of the answer by the local clock, seconds since the epoch
  std::int64_t seconds = 0;  // for how long it is fresh; 0: ask each time

  // Returns true if it is fresh at `now`. A `since` in the future does not count: the clock was
  // wrong.
  [[nodiscard]] constexpr bool at(std::int64_t now) const {
    return 0 <= since && since <= now && now - since < seconds;
  }
  // Returns the shorter of the two.
  [[nodiscard]] constexpr Freshness and_also(const Freshness& other) const {
    return seconds <= other.seconds ? *this : other;
  }
  friend constexpr bool operator==(const Freshness&, const Freshness&) = default;
};

// What is known of a blob before any of its bytes are read. A value.
struct Info {
  // Display name: the URL without credentials, or "docker://host/repo@sha256:…".
  std::string name;
  // Expected digest of the whole blob, "sha256:<64 hex digits>"; empty: unknown.
  std::string digest;
  // Identifies the version: a strong ETag with its quotes, or the HTTP date of Last-Modified (RFC
  // 9110, 8.8). Empty: unknown, and no byte of the blob may be kept for another run.
  std::string validator;
  // A hash of the URL after redirects: validators distinguish versions of one resource, not of two
  // (RFC 9110, 8.8.1). Empty if there was no redirect, or there is a digest.
  std::string place;
  std::uint64_t size = 0;
  Freshness freshness;
  // The server forbids storing the answer (Cache-Control: no-store): no byte of the blob may be
  // kept for another run. Unknown before the first request.
  bool no_store = false;
};

}  // namespace shunt::blob
