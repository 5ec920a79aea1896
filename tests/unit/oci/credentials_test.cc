#include "shunt/oci/credentials.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "shunt/base/clock.h"
#include "shunt/http/base64.h"
#include "shunt/oci/credential_helper.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::oci {
namespace {

using namespace std::chrono_literals;
using Catch::Contains;

// An environment of its own: files under home/, programs under bin/.
class World {
 public:
  World() {
    for (const char* const name : kNames) {
      const char* const value = std::getenv(name);
      saved_.emplace_back(value == nullptr ? "" : value);
      ::unsetenv(name);
    }
    ::setenv("HOME", directory_.file("home").c_str(), 1);
    std::filesystem::create_directories(directory_.file("bin"));
    path_ = std::getenv("PATH");
    ::setenv("PATH", (directory_.file("bin") + ":" + path_).c_str(), 1);
  }
  ~World() {
    for (std::size_t i = 0; i < std::size(kNames); ++i) {
      if (saved_[i].empty()) {
        ::unsetenv(kNames[i]);
      } else {
        ::setenv(kNames[i], saved_[i].c_str(), 1);
      }
    }
    ::setenv("PATH", path_.c_str(), 1);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  std::string file(const std::string& name, const std::string& text) {
    const std::string path = directory_.file(name);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
    return path;
  }
  void program(const std::string& name, const std::string& script) {
    const std::string path = file("bin/docker-credential-" + name, "#!/bin/sh\n" + script);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_.file(name); }

 private:
  static constexpr const char* kNames[] = {"HOME", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR",
                                           "XDG_CONFIG_HOME", "DOCKER_CONFIG"};
  test::TempDir directory_;
  std::vector<std::string> saved_;
  std::string path_;
};

std::string auths(const std::string& key, const std::string& user) {
  return fmt::format(R"({{"auths":{{"{}":{{"auth":"{}"}}}}}})", key,
                     http::base64_encode(user + ":pw"));
}

Result<Credentials> look_up(const std::string& host = "r.example",
                            const std::string& repository = "a/b",
                            const std::string& authfile = "") {
  return find_credentials(host, repository, authfile, nullptr);
}
std::string user(const std::string& host = "r.example", const std::string& repository = "a/b",
                 const std::string& authfile = "") {
  const auto found = look_up(host, repository, authfile);
  return found ? found->username : found.error().describe();
}

TEST_CASE("Base64 goes both ways") {
  CHECK(http::base64_encode("") == "");
  CHECK(http::base64_encode("f") == "Zg==");
  CHECK(http::base64_encode("fo") == "Zm8=");
  CHECK(http::base64_encode("foobar") == "Zm9vYmFy");
  for (const char* const text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    std::string encoded = http::base64_encode(text);
    CHECK(http::base64_decode(encoded) == text);
    while (encoded.ends_with('=')) encoded.pop_back();
    CHECK(http::base64_decode(encoded) == text);
  }
  CHECK(http::base64_decode("AP8=") == std::string("\0\xff", 2));
  for (const char* const text : {"Z", "Zg===", "Z g=", "Zm9=vYmFy", "Zm9v\n", "Zm-_"}) {
    INFO(text);
    CHECK_FALSE(http::base64_decode(text));
  }
}

TEST_CASE("nobody known, nothing found") {
  const World world;
  const auto found = look_up();
  REQUIRE(found);
  CHECK(found->empty());
}

TEST_CASE("the places are asked in their order") {
  World world;
  world.file("home/.docker/config.json", auths("r.example", "docker-home"));
  CHECK(user() == "docker-home");
  ::setenv("DOCKER_CONFIG", world.path("docker").c_str(), 1);
  CHECK(user().empty());
  world.file("docker/config.json", auths("r.example", "docker"));
  CHECK(user() == "docker");
  world.file("home/.config/containers/auth.json", auths("r.example", "config-home"));
  CHECK(user() == "config-home");
  ::setenv("XDG_CONFIG_HOME", world.path("config").c_str(), 1);
  CHECK(user() == "docker");
  world.file("config/containers/auth.json", auths("r.example", "config"));
  CHECK(user() == "config");
  ::setenv("XDG_RUNTIME_DIR", world.path("run").c_str(), 1);
  world.file("run/containers/auth.json", auths("r.example", "run"));
  CHECK(user() == "run");
  ::setenv("REGISTRY_AUTH_FILE", world.path("auth").c_str(), 1);
  CHECK(user() == "run");
  world.file("auth", auths("r.example", "variable"));
  CHECK(user() == "variable");
  // The first that knows the host, not the first that is there.
  world.file("auth", auths("other.example", "variable"));
  CHECK(user() == "run");
  const std::string authfile = world.file("given", auths("r.example", "given"));
  CHECK(user("r.example", "a/b", authfile) == "given");
  CHECK(user("other.example", "a/b", authfile).empty());
}

TEST_CASE("an authfile that is given has to be there") {
  const World world;
  const auto found = look_up("r.example", "a/b", world.path("nothing"));
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kUsage);
  CHECK(found.error().path == world.path("nothing"));
}

TEST_CASE("a file that cannot be read is an error, not somebody unknown") {
  World world;
  const std::string path = world.path("home/.docker/config.json");
  SECTION("not a JSON") {
    world.file("home/.docker/config.json", "{");
  }
  SECTION("no object") {
    world.file("home/.docker/config.json", "[]");
  }
  SECTION("a directory") {
    std::filesystem::create_directories(path);
  }
  SECTION("auths") {
    world.file("home/.docker/config.json", R"({"auths":[]})");
  }
  SECTION("an entry") {
    world.file("home/.docker/config.json", R"({"auths":{"r.example":7}})");
  }
  SECTION("Base64") {
    world.file("home/.docker/config.json", R"({"auths":{"r.example":{"auth":"?"}}})");
  }
  SECTION("no colon") {
    world.file("home/.docker/config.json", R"({"auths":{"r.example":{"auth":"Zm9v"}}})");
  }
  SECTION("credsStore") {
    world.file("home/.docker/config.json", R"({"credsStore":7})");
  }
  SECTION("credHelpers") {
    world.file("home/.docker/config.json", R"({"credHelpers":{"r.example":7}})");
  }
  SECTION("too large") {
    world.file("home/.docker/config.json", "{" + std::string(2 << 20, ' ') + "}");
  }
  const auto found = look_up();
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kUsage);
  CHECK(found.error().path == path);
  CHECK_FALSE(found.error().reason.empty());
}

TEST_CASE("entries are understood as docker and podman write them") {
  World world;
  const auto config = [&](const std::string& entry) {
    world.file("home/.docker/config.json", fmt::format(R"({{"auths":{{"r.example":{}}}}})", entry));
    const auto found = look_up();
    REQUIRE(found);
    return *found;
  };
  Credentials found = config(R"({"auth":")" + http::base64_encode("joe:p:w") + R"("})");
  CHECK(found.username == "joe");
  CHECK(found.password == "p:w");
  found = config(R"({"auth":")" + http::base64_encode(std::string("joe:pw\0\0", 8)) + R"("})");
  CHECK(found.password == "pw");
  found = config(R"({"username":"joe","password":"pw"})");
  CHECK(found.username == "joe");
  CHECK(found.password == "pw");
  found = config(R"({"auth":"","identitytoken":"refresh"})");
  CHECK(found.identity_token == "refresh");
  CHECK(config("{}").empty());
}

TEST_CASE("Docker Hub has many names") {
  World world;
  const std::string key = GENERATE("https://index.docker.io/v1/", "docker.io", "index.docker.io",
                                   "https://registry-1.docker.io/v2/", "docker.io/library");
  world.file("home/.docker/config.json", auths(key, "hub"));
  CHECK(user("docker.io", "library/debian") == "hub");
  CHECK(user("r.example").empty());
}

TEST_CASE("keys may be URLs, and are compared without regard to case") {
  World world;
  const std::string key =
      GENERATE("https://r.example:5000", "http://r.example:5000/v1/", "R.Example:5000");
  world.file("home/.docker/config.json", auths(key, "joe"));
  CHECK(user("r.example:5000") == "joe");
  CHECK(user("r.example").empty());
}

TEST_CASE("the longest key that the repository lies in counts") {
  World world;
  const auto entry = [](const std::string& key, const std::string& name) {
    return fmt::format(R"("{}":{{"auth":"{}"}})", key, http::base64_encode(name + ":pw"));
  };
  world.file("home/.docker/config.json", R"({"auths":{)" + entry("r.example/a", "space") + "," +
                                             entry("r.example/a/b", "repository") + "," +
                                             entry("r.example", "host") + "}}");
  CHECK(user("r.example", "a/b") == "repository");
  CHECK(user("r.example", "a/bc") == "space");
  CHECK(user("r.example", "a/b/c") == "repository");
  CHECK(user("r.example", "ab") == "host");
  CHECK(user("r.example.evil", "a/b").empty());
}

TEST_CASE("helpers go before entries, that of the host before the store") {
  World world;
  world.program("own", R"(read host; echo "{\"Username\":\"own $host\",\"Secret\":\"s\"}")");
  world.program("store", R"(read host; echo "{\"Username\":\"store $host\",\"Secret\":\"s\"}")");
  world.file("home/.docker/config.json",
             R"({"credHelpers":{"r.example":"own"},"credsStore":"store","auths":{"r.example":)"
             R"({"auth":"Zm9vOmJhcg=="}}})");
  CHECK(user("r.example") == "own r.example");
  CHECK(user("r.example:5000") == "store r.example:5000");
  CHECK(user("docker.io") == "store https://index.docker.io/v1/");
}

TEST_CASE("a helper that knows nothing leaves it to the next") {
  World world;
  const char* const unknown = "echo 'credentials not found in native keychain'; exit 1\n";
  world.program("own", unknown);
  world.program("store", unknown);
  world.file("home/.docker/config.json",
             R"({"credHelpers":{"r.example":"own"},"credsStore":"store","auths":{"r.example":)"
             R"({"auth":"Zm9vOmJhcg=="}}})");
  CHECK(user() == "foo");
}

TEST_CASE("a helper may have a token") {
  World world;
  world.program("x", R"(echo '{"ServerURL":"r","Username":"<token>","Secret":"refresh"}')");
  const auto found = ask_credential_helper("x", "r.example", nullptr);
  REQUIRE(found);
  REQUIRE(*found);
  CHECK((*found)->identity_token == "refresh");
  CHECK((*found)->username.empty());
}

TEST_CASE("a helper gets the host as it is, and \"get\"") {
  World world;
  world.program("x", R"sh(printf '{"Username":"%s","Secret":"%s"}' "$*" "$(cat)")sh");
  const auto found = ask_credential_helper("x", "$(id)`id`;x", nullptr);
  REQUIRE(found);
  REQUIRE(*found);
  CHECK((*found)->username == "get");
  CHECK((*found)->password == "$(id)`id`;x");
}

TEST_CASE("a helper that does not work is an error") {
  World world;
  struct Row {
    std::string script, reason;
  };
  const auto row = GENERATE(values<Row>({
      {"echo 'the vault is locked'; exit 1", "the vault is locked"},
      {"exit 3", "it failed"},
      {"kill -9 $$", "it failed"},
      {"echo nonsense", "not a JSON"},
      {"echo '[]'", "not a JSON"},
      {"echo '{\"Username\":7}'", "no credentials"},
      {"yes", "output is too long"},
  }));
  world.program("x", row.script);
  INFO(row.script);
  const auto found = ask_credential_helper("x", "r.example", nullptr);
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kFailed);
  CHECK_THAT(found.error().reason, Contains(row.reason));
  CHECK(found.error().path == "docker-credential-x");
}

TEST_CASE("a helper that is not there is an error that says who named it") {
  World world;
  const std::string path =
      world.file("home/.docker/config.json", R"({"credsStore":"missing-on-purpose"})");
  const auto found = look_up();
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kFailed);
  CHECK_THAT(found.error().hint, Contains(path));
}

TEST_CASE(
    "files in a home that this user may not enter are not looked for, unless they are named") {
  if (::geteuid() != 0) return;  // it takes somebody else
  World world;
  const std::string path = world.file("home/.docker/config.json", "{}");
  std::filesystem::permissions(std::filesystem::path(world.path("home")).parent_path(),
                               std::filesystem::perms::others_exec,
                               std::filesystem::perm_options::add);
  std::filesystem::permissions(world.path("home"), std::filesystem::perms::owner_all);
  ::setenv("REGISTRY_AUTH_FILE", "", 1);
  REQUIRE(::seteuid(65534) == 0);
  const auto usual = look_up();
  const auto by_option = find_credentials("r.example", "team/app", path, nullptr);
  ::setenv("REGISTRY_AUTH_FILE", path.c_str(), 1);
  const auto by_variable = look_up();
  REQUIRE(::seteuid(0) == 0);
  CHECK(usual);
  CHECK_FALSE(by_option);
  CHECK_FALSE(by_variable);
}

TEST_CASE("a name that is none runs nothing") {
  World world;
  const std::string trace = world.path("trace");
  const std::string name = GENERATE_COPY(
      values<std::string>({"", "../x", "a b", "x;touch " + trace, std::string(200, 'x')}));
  const auto found = ask_credential_helper(name, "r.example", nullptr);
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kUsage);
  CHECK_FALSE(std::filesystem::exists(trace));
}

TEST_CASE("a helper that hangs is ended") {
  World world;
  const Stopwatch watch;
  SECTION("too long") {
    world.program("x", "exec sleep 60");
    const auto found = ask_credential_helper("x", "r.example", nullptr, 200ms);
    REQUIRE_FALSE(found);
    CHECK_THAT(found.error().reason, Contains("too long"));
  }
  SECTION("its output closed") {
    world.program("x", "exec >&-; exec sleep 60");
    CHECK_FALSE(ask_credential_helper("x", "r.example", nullptr, 200ms));
  }
  SECTION("interrupted") {
    world.program("x", "exec sleep 60");
    CancelToken cancel;
    cancel.request(SIGINT);
    const auto found = ask_credential_helper("x", "r.example", &cancel);
    REQUIRE_FALSE(found);
    CHECK(found.error().code == ErrorCode::kInterrupted);
  }
  CHECK(watch.seconds() < 20);
}

TEST_CASE("a helper that does not read is none the worse for it") {
  World world;
  world.program("x", R"(exec <&-; echo '{"Username":"u","Secret":"s"}')");
  for (int i = 0; i < 10; ++i) {
    const auto found = ask_credential_helper("x", "r.example", nullptr);
    REQUIRE(found);
    CHECK((*found)->username == "u");
  }
}

}  // namespace
}  // namespace shunt::oci
