// The Sources of this room: Layouts, and Sources with patched fields.
#include <algorithm>
#include <fstream>
#include <memory>
#include <span>
#include <string>

#include "shunt/layout/layout.h"
#include "shunt/layout/patched_source.h"
#include "support/catch.h"
#include "support/conformance/source.h"
#include "support/temp_dir.h"

namespace shunt::layout {
namespace {

constexpr std::size_t kWhole = 20'000;

// A file that something is made of, and another one.
struct Originals {
  Originals() {
    write(path, 1);
    write(other, 2);
  }
  static void write(const std::string& to, std::uint64_t seed) {
    const auto bytes = test::source_bytes(kWhole, seed);
    std::ofstream(to, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), kWhole);
  }
  void change() const { std::ofstream(path, std::ios::app) << 'x'; }

  test::TempDir directory;
  std::string path = directory.file("a");
  std::string other = directory.file("b");
};

// Each kind of extent, some of them of one byte, and another Layout.
io::SourcePtr composed_of(const io::SourcePtr& source) {
  auto layout = std::make_shared<Layout>();
  layout->append_bytes(test::source_bytes(100, 7));
  layout->append_zeros(3000);
  layout->append(source, {500, 9000});
  layout->append(source, {0, 1});
  layout->append_bytes(test::source_bytes(1, 8));
  const auto inner = std::make_shared<Layout>();
  inner->append_zeros(1);
  inner->append(source, {19'000, kWhole});
  layout->append(inner, {0, inner->size()});
  layout->append_layout(*inner);
  return layout;
}

std::vector<std::byte> composed() {
  const auto source = test::source_bytes(kWhole, 1);
  std::vector<std::byte> bytes;
  const auto add = [&](std::span<const std::byte> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
  };
  add(test::source_bytes(100, 7));
  bytes.resize(bytes.size() + 3000);
  add(std::span(source).subspan(500, 8500));
  add(std::span(source).first(1));
  add(test::source_bytes(1, 8));
  for (int i = 0; i < 2; ++i) {
    bytes.resize(bytes.size() + 1);
    add(std::span(source).subspan(19'000));
  }
  return bytes;
}

TEST_CASE("a Layout is a Source") {
  const Originals files;
  test::check_source(
      {.open = [&] { return composed_of(io::FileSource::open(files.path).value()); },
       .bytes = composed(),
       .seams = {100, 3100, 11'600, 11'601, 11'602, 11'603, 12'603, 12'604},
       .open_other = [&] { return composed_of(io::FileSource::open(files.other).value()); },
       .change = [&] { files.change(); }});
}

TEST_CASE("an empty Layout is a Source") {
  test::check_source({.open = [] { return std::make_shared<Layout>(); }, .bytes = {}});
}

TEST_CASE("a Source with patched fields is a Source") {
  const Originals files;
  const auto patches = std::make_shared<std::vector<FieldPatch>>();
  std::vector<std::uint64_t> seams;
  auto bytes = test::source_bytes(kWhole, 1);
  for (const std::uint64_t at : {0U, 8U, 4093U, 10'000U, 10'004U, 19'992U}) {
    const std::uint32_t width = at % 3 == 0 ? 8 : 4;
    patches->push_back({at, width, 0, 0x0102030405060708U >> (64 - 8 * width)});
    const auto encoded = patches->back().encode(patches->back().new_value);
    std::copy_n(encoded.begin(), width, bytes.begin() + static_cast<std::ptrdiff_t>(at));
    seams.insert(seams.end(), {at, at + 1, at + width});
  }
  const auto patched = [&](const std::string& path) {
    return std::make_shared<PatchedSource>(io::FileSource::open(path).value(), patches);
  };
  test::check_source({.open = [&] { return patched(files.path); },
                      .bytes = bytes,
                      .seams = seams,
                      .open_other = [&] { return patched(files.other); },
                      .change = [&] { files.change(); }});
}

}  // namespace
}  // namespace shunt::layout
