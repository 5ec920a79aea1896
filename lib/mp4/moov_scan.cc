#include "shunt/mp4/moov_scan.h"

#include <fmt/format.h>

#include "shunt/boxes/compressed_moov.h"

namespace shunt::mp4 {

Result<BoxModel> scan_moov(const io::SourcePtr& source, const FileMap& file,
                           const boxes::Zones& zones, boxes::Budget& budget, Torn torn) {
  SHUNT_ASSIGN(BoxModel model, scan_box(source, file.moov, zones, budget, torn));
  model.write_own_size = file.moov.size_is_zero;
  if (!model.has_compressed_moov) return model;
  SHUNT_ASSIGN(const io::SourcePtr inflated, boxes::inflate_moov(*source, file.moov));
  io::BufferedReader reader(*inflated);
  const Result<boxes::Box> box = boxes::read_box(reader, 0, {0, inflated->size()});
  if (!box || box->type != boxes::BoxType("moov")) {
    return boxes::bad_box(file.moov, "its compressed content is not a moov");
  }
  Result<BoxModel> inner = scan_box(inflated, *box, zones, budget, torn);
  if (!inner) {
    Error error = inner.error();
    error.reason = fmt::format("in the inflated moov, at its byte {}: {}", error.offset.value_or(0),
                               error.reason);
    error.offset = file.moov.range.begin;
    return error;
  }
  if (inner->has_compressed_moov) {
    return boxes::bad_box(file.moov, "its compressed content is compressed again");
  }
  inner->write_own_size = box->size_is_zero;
  return inner;
}

}  // namespace shunt::mp4
