// The Source of this room: a file as it was before an edit.
#include <algorithm>
#include <fstream>
#include <memory>
#include <span>
#include <string>

#include "shunt/in_place/original_view.h"
#include "support/catch.h"
#include "support/conformance/source.h"
#include "support/temp_dir.h"

namespace shunt::in_place {
namespace {

using test::SourceUnderTest;

constexpr std::size_t kOriginal = 20'000;

// Writes `bytes` with `gap` bytes of something else at `cursor`, and opens that.
io::File file_with_gap(const std::string& path, std::span<const std::byte> bytes,
                       std::size_t cursor, std::size_t gap) {
  std::ofstream file(path, std::ios::binary);
  const auto* const text = reinterpret_cast<const char*>(bytes.data());
  file.write(text, static_cast<std::streamsize>(cursor));
  file << std::string(gap, '#');
  file.write(text + cursor, static_cast<std::streamsize>(bytes.size() - cursor));
  file.close();
  return io::File::open_to_read(path).value();
}

TEST_CASE("the original of an edit that has not begun is a Source") {
  const test::TempDir directory;
  const auto bytes = test::source_bytes(kOriginal);
  const io::File file = file_with_gap(directory.file("f"), bytes, kOriginal, 0);
  test::check_source({.open = [&] { return std::make_shared<OriginalView>(file, kOriginal); },
                      .bytes = bytes,
                      .in_file = SourceUnderTest::InFile::kYes});
}

TEST_CASE("the original of which bytes were kept aside is a Source, and no file") {
  const test::TempDir directory;
  auto bytes = test::source_bytes(kOriginal);
  const io::File file = file_with_gap(directory.file("f"), bytes, kOriginal, 0);
  SavedBytes saved;
  const auto kept = test::source_bytes(100, 99);
  saved.add(5000, kept);
  std::copy_n(kept.begin(), kept.size(), bytes.begin() + 5000);
  test::check_source({.open =
                          [&] {
                            auto view = std::make_shared<OriginalView>(file, kOriginal);
                            view->set_saved(saved);
                            return view;
                          },
                      .bytes = bytes,
                      .seams = {5000, 5100}});
}

TEST_CASE("the original behind a gap, with bytes that were kept aside, is a Source") {
  const test::TempDir directory;
  auto bytes = test::source_bytes(kOriginal);
  const io::File file = file_with_gap(directory.file("f"), bytes, 7000, 4096);
  // The file no longer has these.
  SavedBytes saved;
  for (const std::size_t at : {std::size_t{0}, std::size_t{6990}, std::size_t{19'995}}) {
    const std::size_t size = at == 6990 ? 300 : 5;
    const auto kept = test::source_bytes(size, 99 + at);
    saved.add(at, kept);
    std::copy_n(kept.begin(), size, bytes.begin() + static_cast<std::ptrdiff_t>(at));
  }
  saved.set_zeros({10'000, 10'500});
  std::fill_n(bytes.begin() + 10'000, 500, std::byte{0});
  const auto open = [&] {
    auto view = std::make_shared<OriginalView>(file, kOriginal);
    view->set_gap(7000, 4096);
    view->set_saved(saved);
    return view;
  };
  test::check_source(
      {.open = open, .bytes = bytes, .seams = {5, 6990, 7000, 7290, 10'000, 10'500, 19'995}});
}

}  // namespace
}  // namespace shunt::in_place
