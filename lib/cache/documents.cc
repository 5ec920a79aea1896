#include "shunt/cache/documents.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "shunt/base/log.h"
#include "shunt/base/result.h"
#include "shunt/blob/digest.h"
#include "shunt/files/directory.h"
#include "shunt/files/found_file.h"
#include "shunt/files/path.h"
#include "shunt/io/file.h"
#include "shunt/io/sha256.h"
#include "shunt/text/ascii.h"

namespace shunt::cache {
namespace {

constexpr std::string_view kDigestPrefix = "sha256:";
constexpr std::string_view kDocumentPrefix = "sha256-";
constexpr std::string_view kTagPrefix = "tag-";
constexpr std::size_t kDigits = 64;
// trim() runs with the first document that a process keeps, and then after every kTrimPeriod.
constexpr unsigned kTrimPeriod = 64;
// Number of documents left by a trim, so that the next is not due at once.
constexpr std::size_t kTrimmedCount = Documents::kMaxCount * 9 / 10;
// A writer takes moments; older leftovers are removed.
constexpr std::int64_t kLeftoverAge = 3'600;  // seconds

bool is_hex(std::string_view text) {
  return text.size() == kDigits && std::ranges::all_of(text, ascii::is_lower_hex);
}

// Returns the file name of a document. `digest` must be valid.
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

Result<void> write_and_name(const files::Directory& directory, const std::string& hidden,
                            const std::string& name, std::string_view bytes) {
  SHUNT_ASSIGN(io::File file, directory.open(hidden, O_WRONLY | O_CREAT | O_EXCL, "create"));
  SHUNT_TRY(file.write_at(0, std::as_bytes(std::span(bytes.data(), bytes.size()))));
  SHUNT_TRY(file.close());
  return directory.rename_over(hidden, name);
}

}  // namespace

std::optional<std::string> Documents::find_document(const std::string& digest) {
  if (!blob::is_digest(digest)) return std::nullopt;
  return read(document_name(digest), kMaxSize);
}

void Documents::keep_document(const std::string& digest, std::string_view bytes) {
  if (blob::is_digest(digest) && bytes.size() <= kMaxSize) write(document_name(digest), bytes);
}

std::optional<std::string> Documents::find_tag(const std::string& reference) {
  std::optional<std::string> text = read(tag_name(reference), kDigestPrefix.size() + kDigits + 1);
  if (!text || !text->ends_with('\n')) return std::nullopt;
  text->pop_back();
  if (!blob::is_digest(*text)) return std::nullopt;
  return text;
}

void Documents::keep_tag(const std::string& reference, const std::string& digest) {
  if (blob::is_digest(digest)) write(tag_name(reference), digest + "\n");
}

std::optional<std::string> Documents::read(const std::string& name, std::size_t limit) {
  const Result<files::Directory> directory = files::open_own_directory(directory_);
  if (!directory) return std::nullopt;
  Result<io::File> file =
      files::open_found(*directory, name, files::FoundFor::kReading, files::kOnlyRoot);
  if (!file) return std::nullopt;
  const Result<struct stat> status = file->status();
  if (!status) return std::nullopt;
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
  const auto open = [&]() -> Result<files::Directory> {
    SHUNT_TRY(files::make_directories(directory_));
    return files::open_own_directory(directory_);
  };
  const Result<files::Directory> directory = open();
  if (!directory) {
    log::debug("{}", directory.error().describe());
    return;
  }
  // A unique name, since another process may be writing the same document.
  const std::string hidden = fmt::format(".{}.{}.new", name, files::random_digits());
  const Result<void> written = write_and_name(*directory, hidden, name, bytes);
  if (!written) {
    log::debug("{}", written.error().describe());
    (void)directory->remove_if_there(hidden);
    return;
  }
  if (written_.fetch_add(1, std::memory_order_relaxed) % kTrimPeriod == 0) trim();
}

void Documents::trim() {
  const Result<files::Directory> directory = files::open_own_directory(directory_);
  if (!directory) return;
  const auto names = directory->names();
  if (!names) return;
  std::vector<std::tuple<std::int64_t, std::int64_t, std::string>> found;  // by time of use
  const auto now = static_cast<std::int64_t>(::time(nullptr));
  for (const std::string& name : *names) {
    const bool hidden = name.starts_with('.') && name.ends_with(".new");
    if (!hidden && !is_ours(name)) continue;
    const auto look = directory->look(name);
    if (!look || !*look || !S_ISREG((*look)->st_mode)) continue;
    const struct stat& status = **look;
    if (!hidden) {
      found.emplace_back(status.st_mtim.tv_sec, status.st_mtim.tv_nsec, name);
    } else if (now - status.st_mtim.tv_sec > kLeftoverAge) {
      (void)directory->remove_if_there(name);
    }
  }
  if (found.size() <= kMaxCount) return;
  std::sort(found.begin(), found.end());
  found.resize(found.size() - kTrimmedCount);
  for (const auto& [seconds, nanoseconds, name] : found) {
    (void)directory->remove_if_there(name);
  }
}

}  // namespace shunt::cache
