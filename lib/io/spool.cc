#include "shunt/io/spool.h"

#include "shunt/io/temporary.h"

namespace shunt::io {

Result<void> Spool::append(std::span<const std::byte> data) {
  if (!file_.valid() && memory_.size() + data.size() > memory_limit_) SHUNT_TRY(spill());
  if (file_.valid()) {
    SHUNT_TRY(file_.write_at(size_, data));
  } else {
    memory_.insert(memory_.end(), data.begin(), data.end());
  }
  size_ += data.size();
  return {};
}

Result<void> Spool::spill() {
  SHUNT_ASSIGN(file_, File::create_unnamed(temporary_folder()));
  SHUNT_TRY(file_.write_at(0, memory_));
  memory_ = {};
  return {};
}

Result<SourcePtr> Spool::finish(const std::string& name) {
  const std::uint64_t size = std::exchange(size_, 0);
  if (!file_.valid()) return SourcePtr(std::make_shared<MemorySource>(std::move(memory_), name));
  return SourcePtr(std::make_shared<FileSource>(std::move(file_), size, name));
}

}  // namespace shunt::io
