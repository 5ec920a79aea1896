// The Sources of this room: files, bytes in memory, what was spooled; and the test double.
#include <fstream>
#include <memory>
#include <string>

#include "shunt/io/source.h"
#include "shunt/io/spool.h"
#include "support/catch.h"
#include "support/conformance/source.h"
#include "support/recording_source.h"
#include "support/temp_dir.h"

namespace shunt::io {
namespace {

using test::SourceUnderTest;

constexpr std::size_t kSize = 30'011;

// Two files in a directory.
struct Files {
  Files() {
    write(path, test::source_bytes(kSize, 1));
    write(other, test::source_bytes(kSize, 2));
  }
  static void write(const std::string& to, const std::vector<std::byte>& bytes) {
    std::ofstream(to, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }

  test::TempDir directory;
  std::string path = directory.file("a");
  std::string other = directory.file("b");
};

template <typename Open>
void check_files(const Files& files, const Open& open) {
  test::check_source({.open = [&] { return open(files.path); },
                      .bytes = test::source_bytes(kSize, 1),
                      .seams = {4096},
                      .open_other = [&] { return open(files.other); },
                      .change = [&] { std::ofstream(files.path, std::ios::app) << 'x'; },
                      .in_file = SourceUnderTest::InFile::kYes});
}

SourcePtr spooled(std::size_t memory_limit) {
  Spool spool(memory_limit);
  REQUIRE(spool.append(test::source_bytes(kSize)));
  return spool.finish("input").value();
}

TEST_CASE("a file is a Source") {
  const Files files;
  check_files(files,
              [](const std::string& path) -> SourcePtr { return FileSource::open(path).value(); });
}

TEST_CASE("a file of another's is a Source") {
  const Files files;
  std::vector<std::unique_ptr<File>> opened;
  check_files(files, [&](const std::string& path) -> SourcePtr {
    opened.push_back(std::make_unique<File>(File::open_to_read(path).value()));
    return std::make_shared<BorrowedFileSource>(*opened.back(), kSize);
  });
}

TEST_CASE("bytes in memory are a Source") {
  const auto size = GENERATE(std::size_t{0}, std::size_t{1}, kSize);
  test::check_source(
      {.open = [&] { return std::make_shared<MemorySource>(test::source_bytes(size)); },
       .bytes = test::source_bytes(size)});
}

TEST_CASE("what was spooled in memory is a Source") {
  const SourcePtr source = spooled(kSize);
  test::check_source({.open = [&] { return source; }, .bytes = test::source_bytes(kSize)});
}

TEST_CASE("what was spooled in a file is a Source") {
  const SourcePtr source = spooled(1000);
  const SourcePtr other = spooled(1000);
  test::check_source({.open = [&] { return source; },
                      .bytes = test::source_bytes(kSize),
                      .seams = {1000},
                      .open_other = [&] { return other; },
                      .in_file = SourceUnderTest::InFile::kYes});
}

TEST_CASE("the double that notes what was read is a Source") {
  test::check_source(
      {.open = [] { return std::make_shared<test::RecordingSource>(test::source_bytes(kSize)); },
       .bytes = test::source_bytes(kSize),
       .threads = SourceUnderTest::Threads::kOne});
}

}  // namespace
}  // namespace shunt::io
