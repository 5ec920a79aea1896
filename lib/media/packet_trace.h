// What libavformat makes of a media file, in a form that two files can be compared by: whether
// every packet, its times, its flags and its stream are still the same after bytes were moved.
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

// A value. Its size is 8 bytes for each packet.
struct PacketTrace {
  // In demux order, XXH3-64 of each packet as the container has it, before any parser: stream
  // index, pts, dts, duration, flags, payload, side data. Not its position, which changes when
  // bytes move. Chapter tracks count as ordinary ones.
  std::vector<std::uint64_t> packets;
  // Of every stream, in order: codec type, codec id, extradata, time base and so on.
  std::uint64_t streams_digest = 0;
  unsigned stream_count = 0;
  bool opened = false;  // libavformat could open it at all
  // The first thing that went wrong while opening or reading, as libavformat says, or how many
  // packets it left out; nullopt when all went well. Reading goes on behind a packet that could not
  // be read.
  std::optional<std::string> failure;
};

// Demuxes all of `source` as MP4, MOV and their kin, whatever its name. A file that libavformat
// cannot read is no error but a `failure`. Errors: those of the Source as they are; kInterrupted
// once `context` says stop; kFailed when the media module cannot be loaded. What is told is payload
// bytes, `source.size()` in total. Any thread may call; the callbacks come in that thread. The
// tracks numbered in `left_out` are not read: data in other files, which libavformat does not
// follow.
[[nodiscard]] Result<PacketTrace> trace_packets(const io::Source& source, const Context& context,
                                                std::span<const std::uint32_t> left_out = {});

// nullopt when libavformat delivered the same; otherwise a part of a sentence that names the first
// difference ("packet 812 differs", counted from 1; "1200 packets before, 1199 after"). The texts
// of failures are not compared: where a packet could not be read, they depend on where bytes lie.
// Two files that both could not be opened are the same: ask `opened` first.
[[nodiscard]] std::optional<std::string> first_difference(const PacketTrace& before,
                                                          const PacketTrace& after);

}  // namespace shunt::media
