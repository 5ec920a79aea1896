#include "shunt/oci/small_file.h"

#include <fmt/format.h>

#include "shunt/io/source.h"

namespace shunt::oci {

Result<std::string> read_small_file(const std::string& path, std::size_t limit) {
  SHUNT_ASSIGN(const auto source, io::FileSource::open(path));
  if (source->size() > limit) {
    return corrupt(fmt::format("the file has more than {} bytes", limit)).with_path(path);
  }
  std::string text(static_cast<std::size_t>(source->size()), '\0');
  SHUNT_TRY(io::read_exactly(*source, 0, std::as_writable_bytes(std::span(text))));
  return text;
}

}  // namespace shunt::oci
