// Names of Sources, and that a kind of Source is added without touching anything else.
#include "shunt/source/schemes.h"

#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/io/source.h"
#include "shunt/source/session.h"
#include "support/catch.h"
#include "support/schemes.h"
#include "support/temp_dir.h"

namespace shunt::source {
namespace {

// "toy://TEXT": the bytes of TEXT, which has a part for each letter, and what stands behind '#' is
// secret.
class ToyScheme final : public Scheme {
 public:
  bool claims(std::string_view name) const override { return scheme_of(name) == "toy"; }
  std::vector<std::string_view> prefixes() const override { return {"toy://"}; }
  std::string shown(std::string_view name) const override {
    return std::string(name.substr(0, name.find('#')));
  }
  bool has_parts() const override { return true; }
  Result<Opened> open(Session& /*session*/, const std::string& name,
                      const std::string& part) const override {
    const std::string text = shown(name).substr(6);
    std::vector<std::byte> bytes;
    for (const char c : part.empty() ? text : part) bytes.push_back(static_cast<std::byte>(c));
    Opened opened;
    opened.name = shown(name);
    opened.source = std::make_shared<io::MemorySource>(std::move(bytes), opened.name);
    opened.is_part = !part.empty();
    return opened;
  }
  Result<std::vector<std::string>> parts(Session& /*session*/,
                                         const std::string& name) const override {
    std::vector<std::string> letters;
    for (const char c : shown(name).substr(6)) letters.emplace_back(1, c);
    return letters;
  }
};

SessionOptions without_cache() {
  SessionOptions options;
  options.use_cache = false;
  return options;
}

std::shared_ptr<const Schemes> with_toy() {
  auto table = std::make_shared<Schemes>();
  table->add(std::make_unique<ToyScheme>());
  table->add(stdin_scheme());
  table->add(http_scheme());
  table->add(oci_scheme());
  table->add(path_scheme());
  return table;
}

TEST_CASE("a kind of Source is a class and a line in the table") {
  Session session(with_toy(), without_cache());
  const auto whole = session.open("toy://abc#secret");
  REQUIRE(whole);
  CHECK(whole->name == "toy://abc");
  CHECK(whole->source->size() == 3);
  CHECK(whole->far_away() == nullptr);
  CHECK(whole->bytes_fetched() == 0);
  const auto part = session.open("toy://abc", "b");
  REQUIRE(part);
  CHECK(part->source->size() == 1);
  CHECK(part->is_part);
  CHECK(session.parts("toy://abc").value() == std::vector<std::string>{"a", "b", "c"});
  CHECK(session.schemes().shown("toy://abc#secret") == "toy://abc");
}

TEST_CASE("what has no parts is one, and no part of it can be asked for") {
  const test::TempDir directory;
  Session session(test::schemes(), without_cache());
  CHECK(session.parts(directory.file("x")).value() == std::vector<std::string>{""});
  const auto opened = session.open(directory.file("x"), "0");
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kUsage);
}

TEST_CASE("a URL of a kind that nobody reads is a usage error with the kinds that there are") {
  const auto table = with_toy();
  for (const char* const name :
       {"s3://user:password@bucket/key?token=t", "ftp://host/x", "FTP://x"}) {
    const auto found = table->find(name);
    REQUIRE_FALSE(found);
    CHECK(found.error().code == ErrorCode::kUsage);
    CHECK(found.error().reason == "unsupported kind of URL: toy, http, https, docker");
    CHECK(found.error().path.find("password") == std::string::npos);
    CHECK(found.error().path.find("token") == std::string::npos);
    CHECK_FALSE(table->find(name, "0"));
  }
  CHECK_FALSE(table->find(""));
  for (const char* const name :
       {"./ftp://x", "-", "a:b", "://x", "1x://y", "HTTPS://host", "oci:x"}) {
    CHECK(table->find(name));
  }
}

TEST_CASE("names are files, or what is read through the cache, or neither") {
  const auto table = test::schemes();
  for (const char* const name : {"film.mp4", "./http://x", "oci/x", "docker:x"}) {
    CHECK(table->is_file(name));
    CHECK_FALSE(table->uses_cache(name));
  }
  for (const char* const name :
       {"http://host/x", "Https://host/x", "docker://host/x", "oci:folder"}) {
    CHECK_FALSE(table->is_file(name));
    CHECK(table->uses_cache(name));
  }
  CHECK_FALSE(table->is_file("-"));
  CHECK_FALSE(table->uses_cache("-"));
}

TEST_CASE("what was meant by a name of which there is no file") {
  const auto table = with_toy();
  const auto hint = [&](const std::string& name) {
    return table->with_guess(system_error(ENOENT, name, "open"), name).hint;
  };
  CHECK(hint("toy:abc") == "did you mean toy://abc?");
  CHECK(hint("https:/host/x") == "did you mean https://host/x?");
  CHECK(hint("docker:debian") == "did you mean docker://debian?");
  CHECK(hint("docker:5000/x") == "did you mean docker://5000/x?");
  CHECK(hint("localhost:5000/x") == "did you mean http://localhost:5000/x?");
  CHECK(hint("example.org/film.mp4") == "did you mean https://example.org/film.mp4?");
  CHECK(hint("film.mp4").empty());
  CHECK(hint("../x/film.mp4").empty());
  // Something else is wrong then.
  CHECK(table->with_guess(system_error(EACCES, "toy:abc", "open"), "toy:abc").hint.empty());
}

}  // namespace
}  // namespace shunt::source
