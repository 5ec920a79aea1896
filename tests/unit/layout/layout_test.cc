#include "shunt/layout/layout.h"

#include <rapidcheck.h>

#include "shunt/in_place/original_view.h"
#include "shunt/layout/realise.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::layout {
namespace {

using Bytes = std::vector<std::byte>;

Bytes noise(std::size_t size, unsigned seed) {
  Bytes bytes(size);
  std::uint32_t state = seed * 2654435761U + 1;
  for (std::byte& b : bytes) {
    state = state * 1664525U + 1013904223U;
    b = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

// A random Layout, and the same bytes in a plain array.
struct Model {
  Layout layout;
  Bytes plain;
};

Model random_model() {
  Model model;
  const Bytes source_bytes = noise(5000, 1);
  const auto source = std::make_shared<const io::MemorySource>(source_bytes);
  const auto pieces = *rc::gen::inRange(0, 30);
  for (int i = 0; i < pieces; ++i) {
    const auto size = static_cast<std::size_t>(*rc::gen::inRange(0, 400));
    switch (*rc::gen::inRange(0, 3)) {
      case 0: {
        const auto begin = static_cast<std::size_t>(*rc::gen::inRange(0, 4000));
        model.layout.append(source, ByteRange::of(begin, size));
        model.plain.insert(model.plain.end(),
                           source_bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                           source_bytes.begin() + static_cast<std::ptrdiff_t>(begin + size));
        break;
      }
      case 1: {
        const Bytes bytes = noise(size, static_cast<unsigned>(i) + 10);
        model.layout.append_bytes(bytes);
        model.plain.insert(model.plain.end(), bytes.begin(), bytes.end());
        break;
      }
      default:
        model.layout.append_zeros(size);
        model.plain.insert(model.plain.end(), size, std::byte{0});
    }
  }
  return model;
}

TEST_CASE("a layout reads like the array that it stands for") {
  CHECK(rc::check([] {
    const Model model = random_model();
    RC_ASSERT(model.layout.size() == model.plain.size());
    for (int i = 0; i < 10; ++i) {
      const auto at = static_cast<std::size_t>(*rc::gen::inRange(0, 6000));
      Bytes into(static_cast<std::size_t>(*rc::gen::inRange(0, 900)));
      const auto got = model.layout.read_at(at, into, io::Caching::kKeep);
      RC_ASSERT(got.has_value());
      const std::size_t left = at < model.plain.size() ? model.plain.size() - at : 0;
      RC_ASSERT(*got == std::min(into.size(), left));
      RC_ASSERT(std::equal(
          into.begin(), into.begin() + static_cast<std::ptrdiff_t>(*got),
          model.plain.begin() + static_cast<std::ptrdiff_t>(std::min(at, model.plain.size()))));
    }
  }));
}

TEST_CASE("a layout may be put into another") {
  CHECK(rc::check([] {
    const Model inner = random_model();
    Layout outer;
    outer.append_bytes(noise(7, 3));
    outer.append_layout(inner.layout);
    Bytes into(inner.plain.size());
    RC_ASSERT(outer.size() == inner.plain.size() + 7);
    RC_ASSERT(outer.read_at(7, into, io::Caching::kKeep).has_value());
    RC_ASSERT(into == inner.plain);
  }));
}

TEST_CASE("neighbouring ranges of one source are one extent") {
  const auto source = std::make_shared<const io::MemorySource>(noise(100, 1));
  Layout layout;
  layout.append(source, {0, 10});
  layout.append(source, {10, 30});
  layout.append(source, {31, 40});
  CHECK(layout.extents().size() == 2);
}

TEST_CASE("a source that has become shorter is an error, not zeros") {
  const auto source = std::make_shared<const io::MemorySource>(noise(100, 1));
  Layout layout;
  layout.append(source, {50, 150});
  Bytes into(100);
  const auto got = layout.read_at(0, into, io::Caching::kKeep);
  REQUIRE_FALSE(got);
  CHECK(got.error().code == ErrorCode::kCorrupt);
}

TEST_CASE("a layout becomes a file, holes and all") {
  const test::TempDir dir;
  const std::size_t kData = 3 << 20;
  auto in = io::File::create(dir.file("in"));
  REQUIRE(in);
  const Bytes data = noise(kData, 5);
  REQUIRE(in->truncate(std::uint64_t{64} << 20));
  REQUIRE(in->write_at(std::uint64_t{32} << 20, data));
  REQUIRE(in->sync());
  const auto source =
      std::make_shared<const io::FileSource>(std::move(*in), std::uint64_t{64} << 20);
  Layout layout;
  layout.append_bytes(noise(123, 6));
  layout.append(source, {100, std::uint64_t{40} << 20});
  layout.append_zeros(5 << 20);
  layout.append(source, {std::uint64_t{33} << 20, std::uint64_t{34} << 20});
  auto out = io::File::create(dir.file("out"));
  REQUIRE(out);
  REQUIRE(write_file(layout, *out, {}));
  REQUIRE(out->sync());
  CHECK(out->size().value() == layout.size());
  Bytes expected(1 << 20);
  Bytes got(1 << 20);
  for (std::uint64_t at = 0; at < layout.size(); at += expected.size()) {
    const auto a = layout.read_at(at, expected, io::Caching::kKeep);
    const auto b = out->read_at(at, got);
    REQUIRE(a);
    REQUIRE(b);
    REQUIRE(*a == *b);
    REQUIRE(std::equal(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(*a),
                       got.begin()));
  }
  const auto status = out->status();
  REQUIRE(status);
  CHECK(status->st_blocks * 512 < (16 << 20));
}

TEST_CASE("the original shows through a gap and what was kept aside") {
  const test::TempDir dir;
  auto file = io::File::create(dir.file("a"));
  REQUIRE(file);
  const Bytes original = noise(1000, 9);
  // A gap of 64 bytes at 300, and 20 overwritten bytes at 500.
  Bytes now = original;
  now.insert(now.begin() + 300, 64, std::byte{0xee});
  std::fill_n(now.begin() + 564, 20, std::byte{0xdd});
  REQUIRE(file->write_at(0, now));
  in_place::OriginalView view(*file, original.size());
  view.set_gap(300, 64);
  in_place::SavedBytes saved;
  saved.add(500, std::span(original).subspan(500, 20));
  view.set_saved(saved);
  CHECK(view.in_file().file == nullptr);
  for (std::size_t at = 0; at < original.size(); at += 37) {
    Bytes into(200);
    const auto got = view.read_at(at, into, io::Caching::kKeep);
    REQUIRE(got);
    REQUIRE(*got == std::min<std::size_t>(200, original.size() - at));
    CHECK(std::equal(into.begin(), into.begin() + static_cast<std::ptrdiff_t>(*got),
                     original.begin() + static_cast<std::ptrdiff_t>(at)));
  }
}

TEST_CASE("saved bytes leave zeros out and put them back") {
  Bytes bytes = noise(10'000, 2);
  std::fill_n(bytes.begin() + 1024, 6000, std::byte{0});
  const io::MemorySource source(bytes);
  const auto saved = in_place::SavedBytes::of(source, {100, 9000}, 100'000);
  REQUIRE(saved);
  CHECK(saved->size() < 4000);
  Bytes back(10'000, std::byte{0xaa});
  saved->overlay(0, back);
  CHECK(std::equal(back.begin() + 100, back.begin() + 9000, bytes.begin() + 100));
  CHECK(back[99] == std::byte{0xaa});
  CHECK(back[9000] == std::byte{0xaa});
  CHECK(in_place::SavedBytes::of(source, {100, 9000}, 2000).error().code == ErrorCode::kUnsuitable);
}

}  // namespace
}  // namespace shunt::layout
