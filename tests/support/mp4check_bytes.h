// What mp4check reads: the bytes of a file or an inflated moov, and the boxes in them. Shares no
// code with lib/mp4, so that a misunderstanding there is not repeated here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace shunt::test::check {

// Thrown if the two files do not correspond; what() says where.
class Mismatch : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Bytes {
 public:
  virtual ~Bytes() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // Fills all of `into`; throws std::runtime_error when there is less.
  virtual void read(std::uint64_t at, std::span<std::uint8_t> into) const = 0;
  // The first byte from `at` on that need not be zero, size() if there is none.
  [[nodiscard]] virtual std::uint64_t next_data(std::uint64_t at) const = 0;

  // A big-endian number of `width` bytes, 0 to 8.
  [[nodiscard]] std::uint64_t number(std::uint64_t at, unsigned width) const;
};

class FileBytes final : public Bytes {
 public:
  explicit FileBytes(const std::string& path);
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;
  ~FileBytes() override;
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  void read(std::uint64_t at, std::span<std::uint8_t> into) const override;
  [[nodiscard]] std::uint64_t next_data(std::uint64_t at) const override;

 private:
  std::string path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

class MemoryBytes final : public Bytes {
 public:
  explicit MemoryBytes(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  void read(std::uint64_t at, std::span<std::uint8_t> into) const override;
  [[nodiscard]] std::uint64_t next_data(std::uint64_t at) const override { return at; }

 private:
  std::vector<std::uint8_t> bytes_;
};

// Numbers read mostly in ascending order, a buffer at a time.
class Window {
 public:
  explicit Window(const Bytes& bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t number(std::uint64_t at, unsigned width);

 private:
  const Bytes& bytes_;
  std::uint64_t begin_ = 0;
  std::vector<std::uint8_t> held_;
};

// Returns the first of `size` bytes in which the two differ, counted from 0; `size` if they are
// equal. Skips what is a hole in both.
[[nodiscard]] std::uint64_t first_difference(const Bytes& a, std::uint64_t at_a, const Bytes& b,
                                             std::uint64_t at_b, std::uint64_t size);

struct Box {
  std::string type;
  std::uint64_t begin = 0;
  std::uint64_t payload = 0;
  std::uint64_t end = 0;

  [[nodiscard]] std::uint64_t size() const { return end - begin; }
  [[nodiscard]] bool is(std::string_view name) const { return type == name; }
};

// The boxes in [begin, end), as far as it consists of boxes.
struct BoxList {
  std::vector<Box> boxes;
  std::uint64_t end = 0;  // end of the last box; the rest is not a box
};
[[nodiscard]] BoxList boxes_in(const Bytes& bytes, std::uint64_t begin, std::uint64_t end);
// Returns the first box along `path` within `parent`; one with an empty type if there is none.
[[nodiscard]] Box find_box(const Bytes& bytes, const Box& parent,
                           std::initializer_list<std::string_view> path);

// Returns the content of a compressed moov (cmov); empty if `moov` is not compressed.
[[nodiscard]] std::vector<std::uint8_t> inflated_moov(const Bytes& bytes, const Box& moov);

}  // namespace shunt::test::check
