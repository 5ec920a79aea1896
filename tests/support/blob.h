// A sparse byte string with labels and references: the "assembler" the MP4 test files are built
// with.
//
// Pieces are composed from the inside out. A label names the byte where it stands; a reference is a
// field that receives the address of a label once the whole file is known. Sizes never depend on
// addresses (a field's width is chosen when it is written), so no second pass is needed.
// This code knows nothing of lib/mp4 and must not: it is the independent witness in the tests.
// Misuse (an unknown label, an address that does not fit its field) throws std::logic_error;
// failing to write a file throws std::system_error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shunt::test {

// The address of `label` plus `addend`; with an empty label just the number `addend`.
struct Position {
  std::string label = {};
  std::uint64_t addend = 0;
};

class Blob {
 public:
  using Labels = std::map<std::string, std::uint64_t>;

  // Big-endian integers.
  Blob& u8(std::uint64_t value) { return uint(1, value); }
  Blob& u16(std::uint64_t value) { return uint(2, value); }
  Blob& u24(std::uint64_t value) { return uint(3, value); }
  Blob& u32(std::uint64_t value) { return uint(4, value); }
  Blob& u64(std::uint64_t value) { return uint(8, value); }
  Blob& uint(int width, std::uint64_t value);  // width 0: nothing is written

  Blob& text(std::string_view characters);  // without a terminating NUL
  Blob& bytes(std::span<const std::byte> data);
  Blob& zeros(std::uint64_t count);  // written out
  Blob& hole(std::uint64_t count);   // zeros that a sparse file need not store
  Blob& append(const Blob& other);

  Blob& label(std::string_view name);
  // A field of `width` bytes (0 to 8) for the address `to`, less that of the label `minus`.
  Blob& ref(int width, Position to, std::string_view minus = {});

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Where the labels stand when this blob begins at address 0.
  [[nodiscard]] Labels labels() const;

  // The finished bytes. `known` holds labels that stand outside this blob.
  [[nodiscard]] std::vector<std::byte> to_vector(const Labels& known = {}) const;
  // Writes the finished file to `path`, replacing what is there; holes are left out of it.
  void write_file(const std::string& path) const;

 private:
  struct Extent {
    std::uint64_t at;
    std::vector<std::byte> data;
  };
  struct Mark {
    std::string name;
    std::uint64_t at;
  };
  struct Reference {
    std::uint64_t at;
    int width;
    Position to;
    std::string minus;
  };
  std::vector<std::byte>& tail();
  [[nodiscard]] std::vector<Extent> resolved(const Labels& known) const;

  std::uint64_t size_ = 0;
  std::vector<Extent> extents_;  // ascending, apart from each other
  std::vector<Mark> marks_;
  std::vector<Reference> references_;
};

// The parts one after another.
template <typename... Parts>
[[nodiscard]] Blob cat(const Parts&... parts) {
  Blob all;
  (all.append(parts), ...);
  return all;
}

// `blob` with the label `name` on its first byte.
[[nodiscard]] Blob labelled(std::string_view name, const Blob& blob);

}  // namespace shunt::test
