// A Source with some fields replaced: many patches as one extent of a Layout.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/io/source.h"
#include "shunt/layout/field_patch.h"

namespace shunt::layout {

// Shares ownership of the source and of the patches, which are in ascending order.
class PatchedSource final : public io::Source {
 public:
  using Patches = std::shared_ptr<const std::vector<FieldPatch>>;

  PatchedSource(io::SourcePtr source, Patches patches)
      : source_(std::move(source)), patches_(std::move(patches)) {}

  [[nodiscard]] std::uint64_t size() const override { return source_->size(); }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into,
                                            io::Caching caching) const override;
  [[nodiscard]] std::string name() const override { return source_->name(); }
  // Derived from the source's identity, but different: the bytes differ.
  [[nodiscard]] Result<std::string> identity() const override;

 private:
  io::SourcePtr source_;
  Patches patches_;
};

}  // namespace shunt::layout
