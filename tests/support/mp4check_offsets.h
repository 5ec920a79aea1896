// Compares boxes with absolute offsets in two files: every offset must lead to the same bytes as
// before, and everything else must be equal.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "support/mp4check_bytes.h"
#include "support/mp4check_places.h"

namespace shunt::test::check {

class Offsets {
 public:
  Offsets(const Bytes& before, const Bytes& after, const Places& places)
      : before_(before), after_(after), places_(places) {}

  // Compares two corresponding boxes, which may lie in an inflated moov; throws Mismatch.
  void compare(const Bytes& old_bytes, const Box& old_box, const Bytes& new_bytes,
               const Box& new_box, unsigned depth = 0);

  // Number of offsets followed, by kind.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& counts() const { return counts_; }
  // True if some chunks lie in other files, which libavformat does not always distinguish.
  [[nodiscard]] bool has_external_chunks() const { return external_; }

 private:
  struct Two {  // counterparts, and what they lie in
    const Bytes& old_bytes;
    Box old_box;
    const Bytes& new_bytes;
    Box new_box;
    [[nodiscard]] Two child(std::initializer_list<std::string_view> path) const;
  };

  // `old_address` led to `length` bytes; `new_address` must lead to the same bytes.
  void follow(const std::string& what, std::uint64_t old_address, std::uint64_t new_address,
              std::uint64_t length);
  void compare_leaf(const Two& two) const;
  void compare_children(const Two& two, std::uint64_t skip, unsigned depth);
  void compare_chunks(const Two& trak);
  void compare_saio(const Two& saio, std::uint64_t old_base, std::uint64_t new_base);
  void compare_iloc(const Two& iloc);
  void compare_gps(const Two& gps);
  void compare_ctbo(const Two& ctbo);
  void compare_c2pa(const Two& uuid);
  void compare_traf(const Two& traf, std::uint64_t old_moof, std::uint64_t new_moof);
  void compare_tfra(const Two& tfra);
  void compare_sidx(const Two& sidx);
  // Compares all bytes except [skip, skip + width) of the box.
  void same_except(const Two& two, std::uint64_t skip, std::uint64_t width) const;

  const Bytes& before_;
  const Bytes& after_;
  const Places& places_;
  std::map<std::string, std::uint64_t> counts_;
  bool external_ = false;
};

}  // namespace shunt::test::check
