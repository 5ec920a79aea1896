// The cache directory: entries by name, and looking after them.
#include "shunt/cache/cache.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <limits>
#include <thread>

#include "shunt/io/sha256.h"
#include "support/conformance/document_store.h"
#include "unit/cache/support.h"

namespace shunt::cache {
namespace {

constexpr std::uint64_t kSize = 10 * kBlock + 5;

TEST_CASE("cache: it keeps documents") {
  const test::TempDir directory;
  test::check_document_store([&] { return open_cache(directory.path()); });
}

TEST_CASE("cache: what nobody can tell the version of is not used again") {
  test::TempDir directory;
  const auto cache = open_cache(directory.path());
  blob::Info info = url_info(3 * kBlock);
  info.validator.clear();
  info.freshness = {0, std::numeric_limits<std::int64_t>::max()};
  {
    const auto entry = open_entry(*cache, info);
    CHECK(entry->info().digest.empty());
    REQUIRE(entry->put(0, noise(1, 0, kBlock)));
  }
  SECTION("by asking for it") {
    CHECK(cache->find(key_of(info)).value() == nullptr);
    CHECK_FALSE(exists(entry_path(directory.path(), info)));
  }
  SECTION("by making it") {
    const auto entry = open_entry(*cache, info);
    CHECK(entry->bytes_cached().value() == 0);
  }
  // A digest is a version.
  const auto named = digest_info(1, 3 * kBlock);
  CHECK(open_entry(*cache, named)->info().digest == named.digest);
  CHECK(cache->find(key_of(named)).value() != nullptr);
}

TEST_CASE("cache: another version of a URL is another entry, never mixed") {
  test::TempDir directory;
  const auto cache = open_cache(directory.path());
  auto info = url_info(kSize);
  const auto old = open_entry(*cache, info);
  REQUIRE(old->put(0, noise(1, 0, kBlock)));
  CHECK(open_entry(*cache, info)->check(0));
  info.validator = "\"v2\"";
  const auto renewed = open_entry(*cache, info);
  CHECK_FALSE(renewed->check(0));
  // Who reads the old version goes on with it.
  REQUIRE(old->put(1, noise(1, kBlock, kBlock)));
  CHECK_FALSE(renewed->check(1));
  info.size += 1;
  const auto longer = open_entry(*cache, info);
  CHECK(longer->size() == kSize + 1);
  CHECK(cache->list().value().size() == 1);
}

TEST_CASE("cache: another place that a URL redirects to is another version of it") {
  test::TempDir directory;
  const auto cache = open_cache(directory.path());
  auto info = url_info(kSize);
  info.place = "one";
  const auto old = open_entry(*cache, info);
  REQUIRE(old->put(0, noise(1, 0, kBlock)));
  CHECK(old->info().place == "one");
  CHECK(open_entry(*cache, info)->check(0));
  info.place = "two";
  CHECK_FALSE(open_entry(*cache, info)->check(0));
}

TEST_CASE("cache: a URL has a key for each who asks for it, which tells no password") {
  test::TempDir directory;
  test::TempDir other;
  const auto cache = open_cache(directory.path());
  const std::string url = "http://host/x";
  const std::string alice = "authorization: Basic YWxpY2U6c2VzYW1l\n";
  CHECK(cache->key_of_url(url, "").value() == key_of_url(url));
  const std::string key = cache->key_of_url(url, alice).value();
  CHECK(key != key_of_url(url));
  CHECK(key != cache->key_of_url(url, "authorization: Basic Ym9iOnNlc2FtZQ==\n").value());
  CHECK(key != cache->key_of_url("http://host/y", alice).value());
  CHECK(key.starts_with("url-"));
  // For good, in this cache; and in another one it is another.
  CHECK(key == cache->key_of_url(url, alice).value());
  CHECK(key == open_cache(directory.path())->key_of_url(url, alice).value());
  CHECK(key != open_cache(other.path())->key_of_url(url, alice).value());
  // A secret that was damaged is made anew.
  std::filesystem::resize_file(directory.path() + "/secret", 20);
  CHECK(key != cache->key_of_url(url, alice).value());
}

TEST_CASE("cache: none of it is used where others may write to any of its directories") {
  test::TempDir directory;
  const std::string path = directory.file("cache");
  const std::string digest = "sha256:" + io::sha256_hex("text");
  {
    const auto cache = open_cache(path);
    cache->keep_document(digest, "text");
    REQUIRE(cache->find_document(digest) == "text");
    const auto info = url_info(kSize);
    open_entry(*cache, info);
    REQUIRE(cache->pin(key_of(info)));
  }
  for (const char* const name : {"", "/documents", "/blobs", "/blobs/.pins"}) {
    for (const mode_t mode : {0720U, 0702U}) {
      INFO(name);
      REQUIRE(::chmod((path + name).c_str(), mode) == 0);
      const auto refused = Cache::open(path, 0);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == ErrorCode::kLocalIo);
      CHECK(refused.error().path == path + name);
      CHECK(refused.error().reason == "group or others may write to it");
    }
    REQUIRE(::chmod((path + name).c_str(), 0755) == 0);
    CHECK(Cache::open(path, 0));
    if (::geteuid() != 0) continue;
    // Somebody else's, whoever asks.
    REQUIRE(::chown((path + name).c_str(), 4242, 4242) == 0);
    CHECK_FALSE(Cache::open(path, 0));
    REQUIRE(::chown((path + name).c_str(), 0, 0) == 0);
  }
}

TEST_CASE("cache: files that others may have written are not believed") {
  test::TempDir directory;
  const auto cache = open_cache(directory.path());
  const std::string path = directory.path();
  const auto info = url_info(kSize);
  REQUIRE(open_entry(*cache, info)->put(0, noise(1, 0, kBlock)));
  const std::string tag = "docker://host/repo:tag";
  cache->keep_tag(tag, "sha256:" + io::sha256_hex("text"));
  REQUIRE(cache->find_tag(tag));
  const std::string key = cache->key_of_url("http://host/x", "somebody").value();
  for (const auto& file : std::filesystem::recursive_directory_iterator(path)) {
    if (file.is_regular_file()) REQUIRE(::chmod(file.path().c_str(), 0666) == 0);
  }
  CHECK(cache->find(key_of(info)).value() == nullptr);
  CHECK_FALSE(exists(entry_path(path, info)));
  CHECK_FALSE(cache->find_tag(tag));
  CHECK(cache->key_of_url("http://host/x", "somebody").value() != key);
}

TEST_CASE("cache: of what is not believed nothing is told but why") {
  test::TempDir directory;
  const auto cache = open_cache(directory.path());
  const auto info = url_info(kSize);
  REQUIRE(open_entry(*cache, info)->put(0, noise(1, 0, kBlock)));
  CHECK(cache->list().value().at(0).disbelief.empty());
  REQUIRE(::chmod(entry_path(directory.path(), info).c_str(), 0666) == 0);
  const auto listed = cache->list().value();
  REQUIRE(listed.size() == 1);
  const EntryStatus& entry = listed.front();
  CHECK(entry.damaged);
  CHECK(entry.disbelief == "group or others may write to it");
  CHECK(entry.identity.empty());
  CHECK(entry.source.empty());
  CHECK(entry.bytes_cached == 0);
  const auto verified = cache->verify(entry, {});
  REQUIRE(verified);
  CHECK(verified->damaged);
  CHECK(verified->entry.disbelief == "group or others may write to it");
  CHECK_FALSE(exists(entry_path(directory.path(), info)));
}

TEST_CASE("cache: what is no entry is taken away by its next use") {
  test::TempDir directory;
  const auto cache = open_cache(directory.path());
  const auto info = url_info(kSize);
  const std::string path = entry_path(directory.path(), info);
  open_entry(*cache, info);
  overwrite(path, 100, std::vector<std::byte>(100, std::byte{7}));
  CHECK(cache->list().value().at(0).damaged);
  CHECK(cache->find(key_of(info)).value() == nullptr);
  CHECK_FALSE(exists(path));
  open_entry(*cache, info);
  // Of another version of shunt.
  overwrite(path, 8, std::vector<std::byte>(1, std::byte{9}));
  CHECK(open_entry(*cache, info)->bytes_cached().value() == 0);
  CHECK_FALSE(cache->list().value().at(0).damaged);
}

TEST_CASE("cache: many who create the same entry get the same one") {
  test::TempDir directory;
  const auto info = url_info(kSize);
  std::vector<std::shared_ptr<Entry>> entries(8);
  std::vector<std::thread> threads;
  for (auto& entry : entries) {
    threads.emplace_back([&] {
      const auto cache = open_cache(directory.path());
      entry = open_entry(*cache, info);
    });
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE(entries[0]->put(3, noise(1, 3 * kBlock, kBlock)));
  for (const auto& entry : entries) CHECK(entry->check(3));
}

TEST_CASE("cache: a listing tells what there is, and a verification finds what is bad") {
  test::TempDir directory;
  const auto cache = open_cache(directory.path());
  const auto info = digest_info(1, kSize);
  const auto other = url_info(kSize);
  {
    const auto entry = open_entry(*cache, info);
    REQUIRE(entry->put(0, noise(1, 0, kSize)));
    REQUIRE(open_entry(*cache, other)->put(2, noise(1, 2 * kBlock, kBlock)));
  }
  const auto listed = cache->list().value();
  REQUIRE(listed.size() == 2);
  for (const EntryStatus& status : listed) {
    const bool is_digest = status.key == key_of(info);
    CHECK(status.size == kSize);
    CHECK(status.complete == is_digest);
    CHECK(status.bytes_cached == (is_digest ? kSize : kBlock));
    CHECK(status.allocated >= status.bytes_cached);
    CHECK_FALSE(status.verified);
    CHECK_FALSE(status.damaged);
  }
  const EntryStatus whole = Cache::matching(listed, info.digest, info.digest).value().at(0);
  const auto good = cache->verify(whole, {});
  REQUIRE(good);
  CHECK(good->blocks_checked == 11);
  CHECK(good->blocks_bad == 0);
  CHECK(good->entry.verified);

  const auto begin = open_entry(*cache, info)->header().data_begin();
  overwrite(entry_path(directory.path(), info), begin + kSize - 1, std::vector<std::byte>(1));
  const auto bad = cache->verify(whole, {});
  REQUIRE(bad);
  CHECK(bad->blocks_bad == 1);
  CHECK_FALSE(bad->digest_mismatch);
  CHECK_FALSE(bad->entry.verified);
  CHECK_FALSE(bad->entry.complete);
  CHECK(bad->entry.bytes_cached == 10 * kBlock);

  // All blocks as they came, but not what the digest says.
  REQUIRE(open_entry(*cache, info)->put(10, noise(2, 10 * kBlock, 5)));
  const auto wrong = cache->verify(whole, {});
  REQUIRE(wrong);
  CHECK(wrong->digest_mismatch);
  CHECK(cache->find(whole.key).value() == nullptr);
}

TEST_CASE("cache: names that people use") {
  test::TempDir directory;
  const auto cache = open_cache(directory.path());
  const auto info = digest_info(1, kSize);
  open_entry(*cache, info);
  open_entry(*cache, digest_info(2, kSize));
  open_entry(*cache, url_info(kSize));
  const auto listed = cache->list().value();
  const auto count = [&](const std::string& what) {
    const auto found = Cache::matching(listed, what, what);
    return found ? found->size() : 0;
  };
  CHECK(count(info.digest) == 1);
  CHECK(count(info.digest.substr(7)) == 1);
  CHECK(count(info.digest.substr(7, 12)) == 1);
  CHECK(count(info.digest.substr(7, 5)) == 0);
  CHECK(count(key_of(info)) == 1);
  CHECK(count("http://127.0.0.1/blob") == 1);
  CHECK(count(info.name) == 2);
  CHECK(count("nothing") == 0);
  CHECK(cache->remove(key_of(info)).value());
  CHECK(cache->list().value().size() == 2);
}

TEST_CASE("cache: its directory says what it is") {
  test::TempDir directory;
  const std::string path = directory.file("a/b");
  const auto cache = open_cache(path);
  CHECK(exists(path + "/CACHEDIR.TAG"));
  CHECK(exists(path + "/blobs"));
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::others_all) ==
        std::filesystem::perms::none);
  const auto info = url_info(kSize);
  open_entry(*cache, info);
  CHECK(std::filesystem::status(entry_path(path, info)).permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

}  // namespace
}  // namespace shunt::cache
