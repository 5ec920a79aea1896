// The Source of this room: one that counts what is read of another.
#include <fstream>
#include <memory>
#include <string>

#include "shunt/fetch/counted_source.h"
#include "support/catch.h"
#include "support/conformance/source.h"
#include "support/temp_dir.h"

namespace shunt::fetch {
namespace {

constexpr std::size_t kSize = 20'000;

TEST_CASE("a Source whose reads are counted is a Source") {
  const test::TempDir directory;
  const std::string path = directory.file("a");
  const std::string other = directory.file("b");
  for (const std::string& each : {path, other}) {
    const auto bytes = test::source_bytes(kSize, each == path ? 1 : 2);
    std::ofstream(each, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), kSize);
  }
  const auto open = [](const std::string& name) {
    source::Opened opened;
    opened.source = io::FileSource::open(name).value();
    return std::make_shared<CountedSource>(opened, std::vector<ByteRange>{});
  };
  // Its file is not told: whoever read that would not be counted.
  test::check_source({.open = [&] { return open(path); },
                      .bytes = test::source_bytes(kSize, 1),
                      .open_other = [&] { return open(other); },
                      .change = [&] { std::ofstream(path, std::ios::app) << 'x'; }});
}

}  // namespace
}  // namespace shunt::fetch
