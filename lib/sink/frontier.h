// When bytes may leave: the commit policies, without the bytes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "shunt/base/byte_range.h"

namespace shunt::sink {

enum class CommitPolicy {
  kWindow,  // all before the highest byte written, less the window
  kAtEnd,   // nothing before the end
  kAuto,    // what was written in order from byte 0 on, less the window, as long as the client
            // writes a stream
};

// "window", "at-end" or "auto".
[[nodiscard]] std::string_view to_string(CommitPolicy policy);
// The policy of that name; nullopt: there is none.
[[nodiscard]] std::optional<CommitPolicy> parse_policy(std::string_view text);

// Told of each request before the next; answers up to where bytes may leave. A value of constant
// size, but for kAuto, which keeps at most kMostRanges ranges.
class Frontier {
 public:
  static constexpr std::size_t kMostRanges = 16'384;

  Frontier(CommitPolicy policy, std::uint64_t window);

  void wrote(ByteRange range);        // data
  void wrote_zeros(ByteRange range);  // data that is zeros
  void zeroed(ByteRange range);       // WRITE_ZEROES
  void trimmed(ByteRange range);
  void read();
  void read_at(ByteRange range);  // for read_back() only
  // Of a request that was refused because its bytes have left, only window_needed() tells.
  void refused(ByteRange range) { note_way_back(range); }

  // Bytes before this may leave. Never less than before.
  [[nodiscard]] std::uint64_t released() const { return released_; }
  // The end of the highest byte that was written as data.
  [[nodiscard]] std::uint64_t highest() const { return highest_; }
  // The smallest window with which kWindow would have refused nothing of what came so far.
  [[nodiscard]] std::uint64_t window_needed() const { return window_needed_; }
  // The smallest window with which kWindow would have kept what clients read so far.
  [[nodiscard]] std::uint64_t read_back() const { return read_back_; }
  // Whether bytes still leave before the end.
  [[nodiscard]] bool streams() const { return streams_; }

 private:
  // What is known behind the frontier: written, or zeroed by one request or several that adjoin.
  struct Known {
    std::uint64_t end = 0;
    bool zeros = false;
  };
  using KnownRanges = std::map<std::uint64_t, Known>;  // by where they begin; they do not overlap

  void note_way_back(ByteRange range);
  void note_change(ByteRange range, bool is_data);
  void data_in_auto(ByteRange range);
  void zeros_in_auto(ByteRange range);
  // Forgets what is known of `range`; what it cuts in two keeps both ends.
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
  std::uint64_t frontier_ = 0;  // kAuto: the end of the data that was written in order
  KnownRanges known_;           // kAuto: from frontier_ on
};

}  // namespace shunt::sink
