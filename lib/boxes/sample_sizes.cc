#include "shunt/boxes/sample_sizes.h"

#include <algorithm>
#include <array>

#include "shunt/base/big_endian.h"

namespace shunt::boxes {
namespace {

constexpr std::size_t kMaxUnits = 64;  // with more sample descriptions, the others count in bytes

// Uncompressed QuickTime sound, and the bytes per value; 0: given by the description.
struct Pcm {
  BoxType type;
  std::uint64_t bytes;
};
constexpr std::array kPcm = {
    Pcm{BoxType("raw "), 0}, Pcm{BoxType("twos"), 0}, Pcm{BoxType("sowt"), 0},
    Pcm{BoxType("NONE"), 0}, Pcm{BoxType("lpcm"), 0}, Pcm{BoxType("in24"), 3},
    Pcm{BoxType("in32"), 4}, Pcm{BoxType("fl32"), 4}, Pcm{BoxType("fl64"), 8},
    Pcm{BoxType("ulaw"), 1}, Pcm{BoxType("alaw"), 1},
};

// Compressed sound whose samples are counted before compression: samples and bytes per packet and
// channel, if fixed; 0 bytes if not.
struct Packets {
  BoxType type;
  std::uint64_t samples;
  std::uint64_t bytes;
};
constexpr std::array kPackets = {
    Packets{BoxType("ima4"), 64, 34}, Packets{BoxType("MAC3"), 6, 2},
    Packets{BoxType("MAC6"), 6, 1},   Packets{BoxType("QDM2"), 1, 0},
    Packets{BoxType("QDMC"), 1, 0},   Packets{BoxType("Qclp"), 1, 0},
    Packets{BoxType("agsm"), 1, 0},   Packets{BoxType(".mp3"), 1, 0},
    Packets{BoxType("dvca"), 1, 0},   Packets{BoxType("vdva"), 1, 0},
};

bool is_of_windows(BoxType type) {  // 'ms' and a number
  return type.code() >> 16 == BoxType("ms  ").code() >> 16;
}

}  // namespace

Result<SampleSizes> SampleSizes::open(const io::Source& source, const SampleSizeBoxes& boxes) {
  const ByteRange payload = boxes.sizes.payload();
  if (payload.size() < 12) return SampleSizes(EntryCursor(source, 0, 0, 4));
  std::array<std::byte, 8> head{};
  SHUNT_TRY(io::read_exactly(source, payload.begin + 4, head));
  const auto first = load_be<std::uint32_t>(head.data());
  const auto count = load_be<std::uint32_t>(head.data() + 4);
  const bool compact = boxes.sizes.type == BoxType("stz2");
  const std::uint32_t bits = compact ? first & 0xff : 32;
  const bool known = bits == 4 || bits == 8 || bits == 16 || bits == 32;
  if (!known) return SampleSizes(EntryCursor(source, 0, 0, 4));
  const auto listed =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(count, (payload.size() - 12) * 8 / bits));
  const std::uint32_t entries = bits == 4 ? listed / 2 + listed % 2 : listed;
  SampleSizes result(EntryCursor(source, payload.begin + 12, entries, std::max(bits / 8, 1U)));
  result.bits_ = bits;
  result.left_ = listed;
  if (compact || first == 0) return result;
  result.left_ = count;
  result.constant_ = first;
  if (boxes.sound && boxes.stsd) SHUNT_TRY(result.read_units(source, *boxes.stsd));
  return result;
}

Result<void> SampleSizes::read_units(const io::Source& source, const Box& stsd) {
  if (stsd.payload().size() < 8) return {};
  io::BufferedReader reader(source, 4096);
  SHUNT_ASSIGN(const VersionAndFlags word, read_version_and_flags(reader, stsd));
  // Versions of sound descriptions are QuickTime's if the table has version 0.
  if (word.version != 0) return {};
  for (std::uint64_t at = stsd.payload().begin + 8; stsd.range.end - at >= 8;) {
    const Result<Box> entry = read_box(reader, at, stsd.payload());
    if (!entry) {
      return entry.error().code == ErrorCode::kCorrupt ? Result<void>() : entry.error();
    }
    if (units_.size() == kMaxUnits) return {};
    SHUNT_ASSIGN(const Unit unit, read_unit(reader, *entry, constant_));
    units_.push_back(unit);
    at = entry->range.end;
  }
  return {};
}

Result<SampleSizes::Unit> SampleSizes::read_unit(io::BufferedReader& reader, const Box& entry,
                                                 std::uint32_t constant) {
  const Unit in_bytes{1, constant};
  const std::uint64_t size = entry.payload().size();
  if (size < 28) return in_bytes;
  SHUNT_ASSIGN(const auto head, view_payload(reader, entry, 8, 12));
  const auto version = load_be<std::uint16_t>(head.data());
  const std::uint64_t channels =
      std::max<std::uint64_t>(load_be<std::uint16_t>(head.data() + 8), 1);
  const std::uint64_t value_bytes = (load_be<std::uint16_t>(head.data() + 10) + 7U) / 8;
  // Versions 1 and 2 give the number of samples per packet. A constant size not below that of a
  // packet is the packet's size.
  if (version == 1 && size >= 44) {
    SHUNT_ASSIGN(const auto fields, view_payload(reader, entry, 28, 12));
    const auto samples = load_be<std::uint32_t>(fields.data());
    const auto bytes = load_be<std::uint32_t>(fields.data() + 8);
    if (samples > 0 && bytes > 0) return constant < bytes ? Unit{samples, bytes} : in_bytes;
  }
  if (version == 2 && size >= 64) {
    SHUNT_ASSIGN(const auto fields, view_payload(reader, entry, 56, 8));
    const auto bytes = load_be<std::uint32_t>(fields.data());
    const auto samples = std::max(load_be<std::uint32_t>(fields.data() + 4), 1U);
    return constant < bytes ? Unit{samples, bytes} : in_bytes;
  }
  if (const auto pcm = std::ranges::find(kPcm, entry.type, &Pcm::type); pcm != kPcm.end()) {
    const std::uint64_t frame = channels * (pcm->bytes > 0 ? pcm->bytes : value_bytes);
    return Unit{1, std::max<std::uint64_t>(constant, frame)};
  }
  if (constant > 2 * channels) return in_bytes;
  if (const auto packets = std::ranges::find(kPackets, entry.type, &Packets::type);
      packets != kPackets.end()) {
    return Unit{packets->samples, packets->bytes * channels};
  }
  return is_of_windows(entry.type) ? Unit{1, 0} : in_bytes;
}

std::optional<std::uint64_t> SampleSizes::constant_size(std::uint32_t count,
                                                        std::uint32_t description) const {
  if (constant_ == 0) return std::nullopt;
  const bool known = description > 0 && description <= units_.size();
  const Unit unit = known ? units_[description - 1] : Unit{1, constant_};
  return (count + unit.samples - 1) / unit.samples * unit.bytes;
}

Result<std::uint64_t> SampleSizes::take(std::uint32_t count, std::uint32_t description) {
  count = std::min(count, left_);
  if (const auto constant = constant_size(count, description)) {
    skip(count);
    return *constant;
  }
  left_ -= count;
  std::uint64_t size = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    SHUNT_ASSIGN(const std::uint32_t next, next_listed());
    size += next;  // at most 2^32 samples
  }
  return size;
}

Result<std::uint32_t> SampleSizes::next_listed() {
  if (half_) {
    const std::uint8_t size = *half_;
    half_.reset();
    return std::uint32_t{size};
  }
  SHUNT_ASSIGN(const std::byte* const entry, entries_.next());
  if (bits_ == 32) return load_be<std::uint32_t>(entry);
  if (bits_ == 16) return std::uint32_t{load_be<std::uint16_t>(entry)};
  const auto byte = std::to_integer<std::uint8_t>(*entry);
  if (bits_ == 8) return std::uint32_t{byte};
  half_ = static_cast<std::uint8_t>(byte & 0xf);
  return std::uint32_t{byte} >> 4;
}

}  // namespace shunt::boxes
