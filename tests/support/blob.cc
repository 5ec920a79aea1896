#include "support/blob.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace shunt::test {
namespace {

void store(std::byte* to, int width, std::uint64_t value) {
  if (width < 8 && (value >> (8 * width)) != 0) {
    throw std::logic_error("value " + std::to_string(value) + " does not fit in " +
                           std::to_string(width) + " bytes");
  }
  for (int i = 0; i < width; ++i) to[i] = static_cast<std::byte>(value >> (8 * (width - 1 - i)));
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void write_at(int fd, std::uint64_t at, std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t n = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("pwrite");
    at += static_cast<std::uint64_t>(n);
    data = data.subspan(static_cast<std::size_t>(n));
  }
}

}  // namespace

std::vector<std::byte>& Blob::tail() {
  if (extents_.empty() || extents_.back().at + extents_.back().data.size() != size_) {
    extents_.push_back({size_, {}});
  }
  return extents_.back().data;
}

Blob& Blob::uint(int width, std::uint64_t value) {
  std::byte field[8];
  store(field, width, value);
  return bytes({field, static_cast<std::size_t>(width)});
}

Blob& Blob::text(std::string_view characters) {
  return bytes(std::as_bytes(std::span(characters.data(), characters.size())));
}

Blob& Blob::bytes(std::span<const std::byte> data) {
  if (data.empty()) return *this;
  auto& end = tail();
  end.insert(end.end(), data.begin(), data.end());
  size_ += data.size();
  return *this;
}

Blob& Blob::zeros(std::uint64_t count) {
  if (count == 0) return *this;
  auto& end = tail();
  end.resize(end.size() + count);
  size_ += count;
  return *this;
}

Blob& Blob::hole(std::uint64_t count) {
  size_ += count;
  return *this;
}

Blob& Blob::append(const Blob& other) {
  const std::uint64_t start = size_;
  for (const Extent& extent : other.extents_) {
    hole(start + extent.at - size_);
    bytes(extent.data);
  }
  hole(start + other.size_ - size_);
  for (const Mark& mark : other.marks_) marks_.push_back({mark.name, start + mark.at});
  for (const Reference& ref : other.references_) {
    references_.push_back({start + ref.at, ref.width, ref.to, ref.minus});
  }
  return *this;
}

Blob& Blob::label(std::string_view name) {
  marks_.push_back({std::string(name), size_});
  return *this;
}

Blob& Blob::ref(int width, Position to, std::string_view minus) {
  references_.push_back({size_, width, std::move(to), std::string(minus)});
  return zeros(static_cast<std::uint64_t>(width));
}

Blob::Labels Blob::labels() const {
  Labels all;
  for (const Mark& mark : marks_) {
    if (!all.emplace(mark.name, mark.at).second) {
      throw std::logic_error("label used twice: " + mark.name);
    }
  }
  return all;
}

std::vector<Blob::Extent> Blob::resolved(const Labels& known) const {
  Labels all = labels();
  all.insert(known.begin(), known.end());
  const auto address = [&all](const std::string& name) {
    if (name.empty()) return std::uint64_t{0};
    const auto found = all.find(name);
    if (found == all.end()) throw std::logic_error("no such label: " + name);
    return found->second;
  };
  std::vector<Extent> extents = extents_;
  for (const Reference& ref : references_) {
    if (ref.width == 0 && !ref.to.label.empty() && address(ref.to.label) + ref.to.addend != 0) {
      throw std::logic_error("a field without width for " + ref.to.label);
    }
    if (ref.width == 0) continue;
    auto extent = std::upper_bound(extents.begin(), extents.end(), ref.at,
                                   [](std::uint64_t at, const Extent& e) { return at < e.at; });
    --extent;
    store(extent->data.data() + (ref.at - extent->at), ref.width,
          address(ref.to.label) + ref.to.addend - address(ref.minus));
  }
  return extents;
}

std::vector<std::byte> Blob::to_vector(const Labels& known) const {
  std::vector<std::byte> out(size_);
  for (const Extent& extent : resolved(known)) {
    std::copy(extent.data.begin(), extent.data.end(),
              out.begin() + static_cast<std::ptrdiff_t>(extent.at));
  }
  return out;
}

void Blob::write_file(const std::string& path) const {
  const std::vector<Extent> extents = resolved({});
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) fail("open");
  try {
    for (const Extent& extent : extents) write_at(fd, extent.at, extent.data);
    if (::ftruncate(fd, static_cast<off_t>(size_)) != 0) fail("ftruncate");
  } catch (...) {
    ::close(fd);
    throw;
  }
  if (::close(fd) != 0) fail("close");
}

Blob labelled(std::string_view name, const Blob& blob) {
  Blob out;
  out.label(name);
  return out.append(blob);
}

}  // namespace shunt::test
