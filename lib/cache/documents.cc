#include "cache/documents.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <random>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/log.h"
#include "base/result.h"
#include "io/file.h"
#include "io/path.h"
#include "io/sha256.h"
#include "remote/image.h"

namespace shunt::cache {
namespace {

constexpr std::string_view kDigestPrefix = "sha256:";
constexpr std::string_view kDocumentPrefix = "sha256-";
constexpr std::string_view kTagPrefix = "tag-";
constexpr std::size_t kDigits = 64;
// Looked over with the first document a process keeps, and then with every so many.
constexpr unsigned kTrimPeriod = 64;
// What is left after trimming, so that it is not due again at once.
constexpr std::size_t kTrimmedCount = Documents::kMaxCount * 9 / 10;
// A writer takes moments.
constexpr std::int64_t kLeftoverAge = 3'600;  // seconds

bool is_hex(std::string_view text) {
  return text.size() == kDigits && std::ranges::all_of(text, ascii::is_lower_hex);
}

// The name of a file here: only from a digest that was looked at, never with anything else in it.
std::string document_name(std::string_view digest) {
  return std::string(kDocumentPrefix) + std::string(digest.substr(kDigestPrefix.size()));
}

std::string tag_name(const std::string& reference) {
  return std::string(kTagPrefix) + io::sha256_hex(reference);
}

bool is_ours(std::string_view name) {
  for (const std::string_view prefix : {kDocumentPrefix, kTagPrefix}) {
    if (name.starts_with(prefix) && is_hex(name.substr(prefix.size()))) return true;
  }
  return false;
}

Result<void> write_and_name(const std::string& hidden, const std::string& path,
                            std::string_view bytes) {
  SHUNT_ASSIGN(io::File file, io::File::create(hidden));
  SHUNT_TRY(file.write_at(0, std::as_bytes(std::span(bytes.data(), bytes.size()))));
  SHUNT_TRY(file.close());
  return io::rename_over(hidden, path);
}

}  // namespace

std::optional<std::string> Documents::find_document(const std::string& digest) {
  if (!remote::is_digest(digest)) return std::nullopt;
  return read(document_name(digest), kMaxSize);
}

void Documents::keep_document(const std::string& digest, std::string_view bytes) {
  if (remote::is_digest(digest) && bytes.size() <= kMaxSize) write(document_name(digest), bytes);
}

std::optional<std::string> Documents::find_tag(const std::string& reference) {
  std::optional<std::string> text = read(tag_name(reference), kDigestPrefix.size() + kDigits + 1);
  if (!text || !text->ends_with('\n')) return std::nullopt;
  text->pop_back();
  if (!remote::is_digest(*text)) return std::nullopt;
  return text;
}

void Documents::keep_tag(const std::string& reference, const std::string& digest) {
  if (remote::is_digest(digest)) write(tag_name(reference), digest + "\n");
}

std::optional<std::string> Documents::read(const std::string& name, std::size_t limit) {
  Result<io::File> file = io::File::open_to_read(directory_ + "/" + name);
  if (!file) return std::nullopt;
  const Result<struct stat> status = file->status();
  if (!status || !S_ISREG(status->st_mode)) return std::nullopt;
  if (status->st_size < 0 || static_cast<std::uint64_t>(status->st_size) > limit) {
    return std::nullopt;
  }
  std::string text(static_cast<std::size_t>(status->st_size), '\0');
  const auto got = file->read_at(0, std::as_writable_bytes(std::span(text.data(), text.size())));
  if (!got || *got != text.size()) return std::nullopt;
  (void)file->touch();  // so that trim() keeps it
  return text;
}

void Documents::write(const std::string& name, std::string_view bytes) {
  const Result<void> made = io::make_directories(directory_);
  if (!made) {
    log::debug("{}", made.error().describe());
    return;
  }
  // A name of its own, as another process may be writing the same document.
  std::random_device random;
  const std::string hidden =
      fmt::format("{}/.{}.{:08x}{:08x}.new", directory_, name, random(), random());
  const Result<void> written = write_and_name(hidden, directory_ + "/" + name, bytes);
  if (!written) {
    log::debug("{}", written.error().describe());
    (void)io::remove_if_there(hidden);
    return;
  }
  if (written_.fetch_add(1, std::memory_order_relaxed) % kTrimPeriod == 0) trim();
}

void Documents::trim() {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory_.c_str()), &::closedir);
  if (stream == nullptr) return;
  std::vector<std::tuple<std::int64_t, std::int64_t, std::string>> found;  // by time of use
  const auto now = static_cast<std::int64_t>(::time(nullptr));
  while (const dirent* const entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    const bool hidden = name.starts_with('.') && name.ends_with(".new");
    struct stat status {};
    if (!hidden && !is_ours(name)) continue;
    if (::fstatat(::dirfd(stream.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
      continue;
    }
    if (!hidden) {
      found.emplace_back(status.st_mtim.tv_sec, status.st_mtim.tv_nsec, name);
    } else if (now - status.st_mtim.tv_sec > kLeftoverAge) {
      (void)io::remove_if_there(directory_ + "/" + std::string(name));
    }
  }
  if (found.size() <= kMaxCount) return;
  std::sort(found.begin(), found.end());
  found.resize(found.size() - kTrimmedCount);
  for (const auto& [seconds, nanoseconds, name] : found) {
    (void)io::remove_if_there(directory_ + "/" + name);
  }
}

}  // namespace shunt::cache
