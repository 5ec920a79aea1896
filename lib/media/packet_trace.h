// The packets of a media file as libavformat delivers them, to compare two files: after bytes were
// moved, every packet must have the same content, times, flags and stream.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/io/source.h"

namespace shunt::media {

// A value. Takes 8 bytes per packet.
struct PacketTrace {
  // XXH3-64 of each packet in demux order, as the container has it, before any parser: stream
  // index, pts, dts, duration, flags, payload, side data. Not its position, which changes when
  // bytes move. Chapter tracks are included.
  std::vector<std::uint64_t> packets;
  // Of all streams in order: codec type, codec id, extradata, time base and so on.
  std::uint64_t streams_digest = 0;
  unsigned stream_count = 0;
  bool opened = false;  // libavformat could open the file
  // The first failure of opening or reading, in libavformat's words, or the number of packets it
  // left out; nullopt if there was none. Reading continues after an unreadable packet.
  std::optional<std::string> failure;
};

// Demuxes all of `source` as MP4, MOV and related formats, whatever its name. A file that
// libavformat cannot read is not an error but has a `failure`. Errors: those of the Source;
// kInterrupted once `context` asks to stop; kFailed if the media module cannot be loaded. Progress
// is reported in payload bytes, with `source.size()` as the total. Thread-safe; callbacks are made
// on the calling thread. Tracks numbered in `left_out` are skipped: their data is in other files,
// which libavformat does not open.
[[nodiscard]] Result<PacketTrace> trace_packets(const io::Source& source, const Context& context,
                                                std::span<const std::uint32_t> left_out = {});

// Returns nullopt if libavformat delivered the same, otherwise the first difference as part of a
// sentence ("packet 812 differs", counted from 1; "1200 packets before, 1199 after"). Texts of
// failures are not compared: they depend on where bytes lie. Two files that could not be opened are
// equal: check `opened` first.
[[nodiscard]] std::optional<std::string> first_difference(const PacketTrace& before,
                                                          const PacketTrace& after);

}  // namespace shunt::media
