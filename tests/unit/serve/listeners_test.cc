// Where clients find the disk.
#include "shunt/serve/listeners.h"

#include <cstdlib>
#include <filesystem>

#include "support/catch.h"
#include "support/temp_dir.h"

namespace {

using namespace shunt;
using serve::Address;
using serve::Listeners;
using serve::parse_address;

// A variable of the environment, and afterwards what it was.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* const was = std::getenv(name); was != nullptr) was_ = was;
    ::setenv(name, value.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() {
    if (was_) {
      ::setenv(name_, was_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }

 private:
  const char* name_;
  std::optional<std::string> was_;
};

}  // namespace

TEST_CASE("a socket is told of by its whole name") {
  const test::TempDir dir;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(dir.path());
  {
    Listeners listeners;
    REQUIRE(listeners.open({Address::Kind::kUnix, "here", "", 0}));
    CHECK(listeners.socket_path == dir.file("here"));
    CHECK(listeners.uri.find("here") > listeners.uri.find(dir.file("").substr(0, 4)));
    CHECK(std::filesystem::is_socket(dir.file("here")));
  }
  CHECK_FALSE(std::filesystem::exists(dir.file("here")));
  const std::string deep = dir.file(std::string(100, 'd'));
  std::filesystem::create_directory(deep);
  std::filesystem::current_path(deep);
  {
    Listeners listeners;
    REQUIRE(listeners.open({Address::Kind::kUnix, "here", "", 0}));
    CHECK(listeners.socket_path == "here");
  }
  CHECK_FALSE(std::filesystem::exists(deep + "/here"));
  std::filesystem::current_path(before);
}

TEST_CASE("addresses") {
  const auto kind = [](std::string_view text) { return parse_address(text).value().kind; };
  CHECK(kind("fd") == Address::Kind::kInherited);
  CHECK(kind("unix:a") == Address::Kind::kUnix);
  CHECK(parse_address("unix:/a b:c")->path == "/a b:c");
  const Address address = parse_address("tcp:localhost:10809").value();
  CHECK(address.kind == Address::Kind::kTcp);
  CHECK(address.host == "localhost");
  CHECK(address.port == 10809);
  CHECK(parse_address("tcp:[::1]:0")->host == "::1");
  CHECK(parse_address("tcp:h:65535")->port == 65535);
  for (const char* const text :
       {"", "unix:", "unix", "tcp:", "tcp::", "tcp:host", "tcp:host:", "tcp::5", "tcp:[]:5",
        "tcp:host:65536", "tcp:host:-1", "tcp:host:+1", "tcp:host:0x1", "tcp:host: 1", "fd:3", "3",
        "udp:host:1"}) {
    CAPTURE(text);
    const auto refused = parse_address(text);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kUsage);
  }
}

TEST_CASE("a socket of our own is in the first place that will have it") {
  test::TempDir runtime;
  test::TempDir temporary;
  std::filesystem::create_directory(runtime.file(std::string(90, 'x')));
  struct {
    std::string runtime_dir, tmpdir, where;
  } const cases[] = {
      {runtime.path(), temporary.path(), runtime.path()},
      {runtime.file("nowhere"), temporary.path(), temporary.path()},
      {"/proc", temporary.path(), temporary.path()},  // nobody may write there
      {runtime.file(std::string(90, 'x')), temporary.path(), temporary.path()},
      {".", temporary.path(), temporary.path()},
      {"", temporary.path(), temporary.path()},
      {"/proc", "/proc", "/tmp"},
      {"", "", "/tmp"},
  };
  for (const auto& [runtime_dir, tmpdir, where] : cases) {
    CAPTURE(runtime_dir, tmpdir);
    const Variable first("XDG_RUNTIME_DIR", runtime_dir);
    const Variable second("TMPDIR", tmpdir);
    std::string path;
    {
      Listeners listeners;
      REQUIRE(listeners.open({}));
      path = listeners.socket_path;
      const std::filesystem::path folder = std::filesystem::path(path).parent_path();
      CHECK(folder.parent_path() == where);
      CHECK(std::filesystem::status(folder).permissions() == std::filesystem::perms::owner_all);
      CHECK(std::filesystem::is_socket(path));
      CHECK(listeners.uri.ends_with(path));
    }
    CHECK_FALSE(std::filesystem::exists(path));
  }
  // Nothing is left of the attempts either.
  CHECK(std::filesystem::is_empty(temporary.path()));
  CHECK(std::filesystem::is_empty(runtime.file(std::string(90, 'x'))));
}
