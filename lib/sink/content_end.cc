#include "shunt/sink/content_end.h"

#include <algorithm>

namespace shunt::sink {

void ContentEnd::wrote(ByteRange range) {
  end_ = std::max(end_, range.end);
  wiping_to_ = 0;
}

void ContentEnd::zeroed(ByteRange range) {
  if (wiping_to_ == 0) before_wipe_ = end_;
  if (range.begin == 0) {
    wiping_to_ = range.end;
  } else if (wiping_to_ != 0 && range.begin <= wiping_to_) {
    wiping_to_ = std::max(wiping_to_, range.end);
  } else {
    wiping_to_ = 0;
  }
  end_ = std::max(end_, range.end);
  if (wiping_to_ < size_) return;
  end_ = before_wipe_;
  wiping_to_ = 0;
  wiped_ = true;
}

}  // namespace shunt::sink
