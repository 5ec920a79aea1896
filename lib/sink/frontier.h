// Commit policies: decides when bytes may leave. Does not handle the bytes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "shunt/base/byte_range.h"

namespace shunt::sink {

enum class CommitPolicy {
  kWindow,  // bytes before the highest byte written, less the window
  kAtEnd,   // nothing before the end
  kAuto,  // bytes written in order from byte 0 on, less the window, as long as the client writes in
          // order
};

// Returns "window", "at-end" or "auto".
[[nodiscard]] std::string_view to_string(CommitPolicy policy);
// Returns the policy of that name, or nullopt.
[[nodiscard]] std::optional<CommitPolicy> parse_policy(std::string_view text);

// Is told of each request in order, and says up to where bytes may leave. Constant size, except for
// kAuto, which keeps at most kMostRanges ranges. One thread at a time.
class Frontier {
 public:
  static constexpr std::size_t kMostRanges = 16'384;

  // `window` is in bytes.
  Frontier(CommitPolicy policy, std::uint64_t window);

  void wrote(ByteRange range);        // data
  void wrote_zeros(ByteRange range);  // data that is zeros
  void zeroed(ByteRange range);       // WRITE_ZEROES
  void trimmed(ByteRange range);
  void read();
  void read_at(ByteRange range);  // for read_back() only
  // A request that was refused because its bytes have left. It only affects window_needed().
  void refused(ByteRange range) { note_way_back(range); }

  // Bytes before this offset may leave. Never decreases.
  [[nodiscard]] std::uint64_t released() const { return released_; }
  // The end of the highest byte written as data.
  [[nodiscard]] std::uint64_t highest() const { return highest_; }
  // The smallest window, in bytes, with which kWindow would have refused nothing so far.
  [[nodiscard]] std::uint64_t window_needed() const { return window_needed_; }
  // The smallest window, in bytes, with which kWindow would still have held all that clients read.
  [[nodiscard]] std::uint64_t read_back() const { return read_back_; }
  // True while bytes can leave before the end.
  [[nodiscard]] bool streams() const { return streams_; }

 private:
  // A range behind the frontier that was written, or zeroed by one or several adjoining requests.
  struct Known {
    std::uint64_t end = 0;
    bool zeros = false;
  };
  using KnownRanges = std::map<std::uint64_t, Known>;  // by begin; disjoint

  void note_way_back(ByteRange range);
  void note_change(ByteRange range, bool is_data);
  void data_in_auto(ByteRange range);
  void zeros_in_auto(ByteRange range);
  // Removes `range` from known_; a range that it cuts in two keeps both ends.
  void forget(ByteRange range);
  [[nodiscard]] bool overlaps_data(ByteRange range) const;
  void add(ByteRange range, bool zeros);
  void advance();
  void stop_streaming();

  const CommitPolicy policy_;
  const std::uint64_t window_;
  bool streams_;
  std::uint64_t released_ = 0;
  std::uint64_t highest_ = 0;
  std::uint64_t window_needed_ = 0;
  std::uint64_t read_back_ = 0;
  std::uint64_t frontier_ = 0;  // kAuto: end of the data written in order
  KnownRanges known_;           // kAuto: ranges from frontier_ on
};

}  // namespace shunt::sink
