#include "support/mp4check_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace shunt::test::check {
namespace {

constexpr std::size_t kBuffer = std::size_t{256} << 10;

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw std::runtime_error(path + ": " + what + ": " + std::strerror(errno));
}

std::uint64_t big_endian(const std::uint8_t* from, unsigned width) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < width; ++i) value = value << 8U | from[i];
  return value;
}

// Letters and what else vendors use. Other types are boxes if their sizes lead to one of these, or
// to the end of the file.
bool plausible(const std::string& type) {
  return std::all_of(type.begin(), type.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u == 0xa9 || (u >= 0x20 && u < 0x7f);
  });
}

}  // namespace

std::uint64_t Bytes::number(std::uint64_t at, unsigned width) const {
  std::array<std::uint8_t, 8> field{};
  read(at, std::span(field).first(width));
  return big_endian(field.data(), width);
}

FileBytes::FileBytes(const std::string& path)
    : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat status {};
  if (fd_ < 0 || ::fstat(fd_, &status) != 0) fail(path, "open");
  size_ = static_cast<std::uint64_t>(status.st_size);
}

FileBytes::~FileBytes() {
  ::close(fd_);
}

void FileBytes::read(std::uint64_t at, std::span<std::uint8_t> into) const {
  while (!into.empty()) {
    const ssize_t got = ::pread(fd_, into.data(), into.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, "read");
    if (got == 0) throw std::runtime_error(path_ + ": it ends at byte " + std::to_string(at));
    at += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
}

std::uint64_t FileBytes::next_data(std::uint64_t at) const {
  if (at >= size_) return size_;
  const off_t data = ::lseek(fd_, static_cast<off_t>(at), SEEK_DATA);
  if (data >= 0) return static_cast<std::uint64_t>(data);
  return errno == ENXIO ? size_ : at;
}

void MemoryBytes::read(std::uint64_t at, std::span<std::uint8_t> into) const {
  if (at > bytes_.size() || bytes_.size() - at < into.size()) {
    throw std::runtime_error("the inflated moov ends too early");
  }
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at), into.size(), into.begin());
}

std::uint64_t Window::number(std::uint64_t at, unsigned width) {
  if (at < begin_ || at + width > begin_ + held_.size()) {
    if (at > bytes_.size() || bytes_.size() - at < width) {
      throw Mismatch("a table reaches past the end of the file");
    }
    begin_ = at;
    held_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(64 << 10, bytes_.size() - at)));
    bytes_.read(at, held_);
  }
  return big_endian(held_.data() + (at - begin_), width);
}

std::uint64_t first_difference(const Bytes& a, std::uint64_t at_a, const Bytes& b,
                               std::uint64_t at_b, std::uint64_t size) {
  std::vector<std::uint8_t> left(static_cast<std::size_t>(std::min<std::uint64_t>(size, kBuffer)));
  std::vector<std::uint8_t> right(left.size());
  for (std::uint64_t done = 0; done < size;) {
    const std::uint64_t data =
        std::min(a.next_data(at_a + done) - at_a, b.next_data(at_b + done) - at_b);
    done = std::max(done, data);
    if (done >= size) break;
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left.size(), size - done));
    a.read(at_a + done, std::span(left).first(part));
    b.read(at_b + done, std::span(right).first(part));
    const auto end = left.begin() + static_cast<std::ptrdiff_t>(part);
    const auto differing = std::mismatch(left.begin(), end, right.begin());
    if (differing.first != end) {
      return done + static_cast<std::uint64_t>(differing.first - left.begin());
    }
    done += part;
  }
  return size;
}

BoxList boxes_in(const Bytes& bytes, std::uint64_t begin, std::uint64_t end) {
  BoxList list;
  std::size_t known = 0;  // boxes up to the last plausible one, or all if they reach the end
  bool open_ended = false;
  while (end - begin >= 8) {
    Box box;
    box.begin = begin;
    box.payload = begin + 8;
    std::uint64_t size = bytes.number(begin, 4);
    std::array<std::uint8_t, 4> type{};
    bytes.read(begin + 4, type);
    box.type.assign(type.begin(), type.end());
    if (size == 1) {
      if (end - begin < 16) break;
      size = bytes.number(begin + 8, 8);
      box.payload = begin + 16;
    } else if (size == 0) {
      size = end - begin;
      open_ended = true;
    }
    if (size < box.payload - begin || size > end - begin) break;
    box.end = begin + size;
    begin = box.end;
    list.boxes.push_back(std::move(box));
    if (plausible(list.boxes.back().type) || (begin == end && !open_ended)) {
      known = list.boxes.size();
    }
  }
  if (known < list.boxes.size()) begin = list.boxes[known].begin;
  list.boxes.resize(known);
  list.end = begin;
  return list;
}

Box find_box(const Bytes& bytes, const Box& parent, std::initializer_list<std::string_view> path) {
  Box at = parent;
  for (const std::string_view name : path) {
    const BoxList children = boxes_in(bytes, at.payload, at.end);
    const auto found = std::find_if(children.boxes.begin(), children.boxes.end(),
                                    [name](const Box& child) { return child.is(name); });
    if (found == children.boxes.end()) return {};
    at = *found;
  }
  return at;
}

std::vector<std::uint8_t> inflated_moov(const Bytes& bytes, const Box& moov) {
  const Box cmvd = find_box(bytes, moov, {"cmov", "cmvd"});
  if (cmvd.type.empty()) return {};
  std::vector<std::uint8_t> packed(static_cast<std::size_t>(cmvd.end - cmvd.payload - 4));
  bytes.read(cmvd.payload + 4, packed);
  std::vector<std::uint8_t> plain(static_cast<std::size_t>(bytes.number(cmvd.payload, 4)));
  uLongf size = plain.size();
  if (::uncompress(plain.data(), &size, packed.data(), packed.size()) != Z_OK) {
    throw std::runtime_error("the compressed moov cannot be inflated");
  }
  plain.resize(size);
  return plain;
}

}  // namespace shunt::test::check
