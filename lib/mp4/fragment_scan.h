// Movie fragments: their absolute base offsets (tfhd.base_data_offset; ISO/IEC 14496-12, 8.8.7),
// and the place of their samples (trun, 8.8.8).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "shunt/base/cancel.h"
#include "shunt/base/result.h"
#include "shunt/boxes/box.h"
#include "shunt/boxes/zones.h"
#include "shunt/io/source.h"
#include "shunt/mp4/box_model.h"
#include "shunt/mp4/offset_field.h"

namespace shunt::mp4 {

// One thread; the constructor's arguments are not owned and outlive it. `moov` has the defaults of
// fragments, and says which tracks lie in other files. `cancel` may be null.
class FragmentScanner {
 public:
  FragmentScanner(io::BufferedReader& reader, const boxes::Zones& zones, const BoxModel& moov,
                  Torn torn, const CancelToken* cancel)
      : reader_(reader), zones_(zones), moov_(moov), torn_(torn), cancel_(cancel) {}

  // Returns the fields of `moof` with absolute offsets. Returns kCorrupt if samples would be split,
  // or separated from the base of their offsets.
  Result<std::vector<OffsetField>> scan(const boxes::Box& moof);
  // The smallest offset of samples with moof-relative offsets in all scanned fragments; UINT64_MAX
  // if there are none.
  [[nodiscard]] std::uint64_t first_relative() const { return first_relative_; }

 private:
  // The values of tfhd, with defaults from trex.
  struct Header {
    std::uint32_t track = 0;
    std::uint32_t description = 1;
    std::uint32_t sample_size = 0;
    bool from_moof = false;  // default-base-is-moof
    std::optional<OffsetField> base;
  };
  struct Run {
    std::optional<std::int32_t> distance;  // relative to the base
    std::uint64_t size = 0;                // of all samples, in bytes
  };

  Result<std::optional<OffsetField>> scan_traf(const boxes::Box& moof, const boxes::Box& traf);
  Result<Header> read_header(const boxes::Box& tfhd) const;
  Result<Run> read_run(const boxes::Box& trun, const Header& header) const;
  Result<std::uint64_t> sum_sizes(ByteRange entries, std::uint32_t stride,
                                  std::uint32_t size_at) const;
  [[nodiscard]] bool lies_here(const Header& header) const;
  // `at` is the offset of the begin of `run`.
  Result<void> check(const boxes::Box& traf, const Header& header, std::uint64_t at,
                     const Run& run);

  io::BufferedReader& reader_;
  const boxes::Zones& zones_;
  const BoxModel& moov_;
  Torn torn_;
  const CancelToken* cancel_;
  std::uint64_t data_end_ = 0;  // end of the last track fragment; the next may be relative to it
  std::uint64_t first_relative_ = UINT64_MAX;
};

}  // namespace shunt::mp4
