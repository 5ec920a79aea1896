// A blob on a server, of which any range can be asked for. What the cache fills itself from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/byte_range.h"
#include "base/result.h"

namespace shunt::remote {

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
struct BlobInfo {
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

// Takes the bytes of one download. Called on the client's thread, one call at a time; must not
// block for longer than a write to a file takes.
class Receiver {
 public:
  virtual ~Receiver() = default;
  // `bytes` lie at `offset` of the blob. Offsets only go forward, without gaps, from the start of
  // the range that was asked for; or, from a server that ignores ranges, from 0 to the end of the
  // blob. (A resumed download goes on where it was: no byte comes twice.) An error ends the
  // download with that error.
  virtual Result<void> receive(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  // The last call. Success: all that was asked for has come. The Download may be destroyed in it.
  virtual void finished(Result<void> outcome) = 0;
};

// A download under way. Destroying it cancels: no call of the Receiver runs or comes any more once
// the destructor has returned.
class Download {
 public:
  virtual ~Download() = default;
};

// What talking to the servers has cost so far.
struct Traffic {
  std::uint64_t requests = 0;       // all that were sent, whatever for
  std::uint64_t data_requests = 0;  // of these, for bytes of blobs
  std::uint64_t retries = 0;        // of these, repeated because one before had failed
  std::uint64_t bytes = 0;          // of blobs that arrived

  Traffic& operator+=(const Traffic& other) {
    requests += other.requests;
    data_requests += other.data_requests;
    retries += other.retries;
    bytes += other.bytes;
    return *this;
  }
  friend Traffic operator+(Traffic a, const Traffic& b) { return a += b; }
};

// Thread-safe. Errors: kNetwork for what the server or the way to it did wrong, kCorrupt for
// answers that contradict themselves, kInterrupted once the client's CancelToken is requested.
class Origin {
 public:
  virtual ~Origin() = default;
  [[nodiscard]] virtual const BlobInfo& info() const = 0;
  // Starts to download `range`, which lies within the blob and is not empty. Retries, resumes,
  // follows redirects and renews tokens by itself. `receiver` is not owned, and outlives the
  // Download or its call of finished(), whichever ends first.
  [[nodiscard]] virtual std::unique_ptr<Download> start(ByteRange range, Receiver& receiver) = 0;
  // False once the server has sent the whole blob when it was asked for a part of it; and of a blob
  // of which nothing tells versions apart (no digest, no ETag, no Last-Modified): parts from
  // several answers could not be joined, so that every download brings all of it, in one answer.
  [[nodiscard]] virtual bool serves_ranges() const = 0;
  // True once the server has shown another version of the blob than info() describes. Downloads
  // fail then, and what is kept of the blob is of no use any more.
  [[nodiscard]] virtual bool has_changed() const = 0;
  // Seconds from a request to the first byte of its answer, and bytes a second of one connection,
  // both of recent requests; 0: not known yet.
  [[nodiscard]] virtual double latency() const = 0;
  [[nodiscard]] virtual double rate() const = 0;
  [[nodiscard]] virtual Traffic traffic() const = 0;  // of this blob
};

}  // namespace shunt::remote
