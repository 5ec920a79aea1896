#include "shunt/media/packet_digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

extern "C" {
#include <libavcodec/codec_par.h>
#include <libavutil/dict.h>
}

#include <cstddef>
#include <cstring>
#include <type_traits>

namespace shunt::media {
namespace {

class Digest {
 public:
  Digest() { XXH3_64bits_reset(&state_); }

  // Adds numbers and enumerators, 8 bytes each.
  template <typename... Numbers>
  void add(Numbers... numbers) {
    static_assert(((std::is_integral_v<Numbers> || std::is_enum_v<Numbers>)&&...));
    const std::int64_t values[] = {static_cast<std::int64_t>(numbers)...};
    XXH3_64bits_update(&state_, values, sizeof values);
  }

  // The size comes first, so that bytes cannot move unnoticed between fields.
  void add_bytes(const void* data, std::size_t size) {
    add(size);
    if (size > 0) XXH3_64bits_update(&state_, data, size);
  }

  void add_text(const char* text) { add_bytes(text, std::strlen(text)); }

  [[nodiscard]] std::uint64_t value() const { return XXH3_64bits_digest(&state_); }

 private:
  XXH3_state_t state_;
};

std::size_t size_from(int size) {
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

void add_side_data(Digest& digest, const AVPacketSideData* items, int count) {
  digest.add(count);
  for (int i = 0; i < count; ++i) {
    digest.add(items[i].type);
    digest.add_bytes(items[i].data, items[i].size);
  }
}

void add_codec(Digest& digest, const AVCodecParameters& codec) {
  digest.add(codec.codec_type, codec.codec_id, codec.codec_tag, codec.format,
             codec.bits_per_coded_sample, codec.bits_per_raw_sample, codec.profile, codec.level);
  digest.add_bytes(codec.extradata, size_from(codec.extradata_size));
  digest.add(codec.width, codec.height, codec.sample_aspect_ratio.num,
             codec.sample_aspect_ratio.den, codec.field_order, codec.color_range,
             codec.color_primaries, codec.color_trc, codec.color_space, codec.chroma_location,
             codec.video_delay);
  digest.add(codec.ch_layout.order, codec.ch_layout.nb_channels, codec.sample_rate,
             codec.block_align, codec.frame_size, codec.initial_padding, codec.trailing_padding,
             codec.seek_preroll);
  // The mask is only valid in this order; otherwise the union holds a pointer or nothing.
  if (codec.ch_layout.order == AV_CHANNEL_ORDER_NATIVE) digest.add(codec.ch_layout.u.mask);
}

void add_stream(Digest& digest, const AVStream& stream) {
  digest.add(stream.index, stream.id, stream.time_base.num, stream.time_base.den, stream.duration,
             stream.nb_frames, stream.disposition, stream.sample_aspect_ratio.num,
             stream.sample_aspect_ratio.den);
  add_codec(digest, *stream.codecpar);
  add_side_data(digest, stream.side_data, stream.nb_side_data);
  digest.add(av_dict_count(stream.metadata));
  const AVDictionaryEntry* entry = nullptr;
  while ((entry = av_dict_get(stream.metadata, "", entry, AV_DICT_IGNORE_SUFFIX)) != nullptr) {
    digest.add_text(entry->key);
    digest.add_text(entry->value);
  }
}

}  // namespace

std::uint64_t digest_of(const AVPacket& packet) {
  Digest digest;
  digest.add(packet.stream_index, packet.pts, packet.dts, packet.duration, packet.flags,
             packet.time_base.num, packet.time_base.den);
  digest.add_bytes(packet.data, size_from(packet.size));
  add_side_data(digest, packet.side_data, packet.side_data_elems);
  return digest.value();
}

std::uint64_t digest_of_streams(const AVFormatContext& format) {
  Digest digest;
  digest.add(format.nb_streams);
  for (unsigned i = 0; i < format.nb_streams; ++i) add_stream(digest, *format.streams[i]);
  return digest.value();
}

}  // namespace shunt::media
