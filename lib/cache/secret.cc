#include "shunt/cache/secret.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <optional>
#include <random>
#include <span>
#include <string_view>

#include "shunt/files/found_file.h"
#include "shunt/files/path.h"
#include "shunt/io/file.h"
#include "shunt/io/sha256.h"
#include "shunt/text/ascii.h"

namespace shunt::cache {
namespace {

constexpr const char* kName = "secret";
constexpr std::string_view kMagic = "shunt-secret-1 ";
constexpr std::size_t kDigits = 64;
constexpr std::size_t kCheckDigits = 8;
constexpr std::size_t kSize = kMagic.size() + kDigits + 1 + kCheckDigits + 1;

std::string as_text(std::string_view secret) {
  const std::string begin = fmt::format("{}{}", kMagic, secret);
  return fmt::format("{} {}\n", begin, io::sha256_hex(begin).substr(0, kCheckDigits));
}

std::string new_secret() {
  std::random_device random;
  std::string secret;
  while (secret.size() < kDigits) secret += fmt::format("{:08x}", random());
  return secret;
}

// Returns nullopt if there is none, or none that may be used.
Result<std::optional<std::string>> read(const files::Directory& directory) {
  const Result<io::File> file =
      files::open_found(directory, kName, files::FoundFor::kReading, files::kOnlyRoot);
  if (!file &&
      (file.error().system_errno == ENOENT || file.error().code == ErrorCode::kIntegrity)) {
    return std::optional<std::string>();
  }
  if (!file) return file.error();
  std::string text(kSize, '\0');
  SHUNT_ASSIGN(const std::size_t got,
               file->read_at(0, std::as_writable_bytes(std::span(text.data(), text.size()))));
  const std::string secret = text.substr(kMagic.size(), kDigits);
  if (got != kSize || text != as_text(secret)) return std::optional<std::string>();
  return std::optional(secret);
}

// Written under a unique name first, so that readers find a complete secret.
Result<void> put(const files::Directory& directory, const std::string& text, bool replace) {
  const std::string hidden = fmt::format("{}.{}.new", kName, files::random_digits());
  const auto write = [&]() -> Result<void> {
    SHUNT_ASSIGN(io::File file, directory.open(hidden, O_WRONLY | O_CREAT | O_EXCL, "create"));
    SHUNT_TRY(file.write_at(0, std::as_bytes(std::span(text.data(), text.size()))));
    SHUNT_TRY(file.close());
    return replace ? directory.rename_over(hidden, kName)
                   : directory.rename_no_replace(hidden, kName);
  };
  Result<void> written = write();
  if (!written) (void)directory.remove_if_there(hidden);
  return written;
}

}  // namespace

Result<std::string> secret_of(const files::Directory& directory) {
  SHUNT_ASSIGN(std::optional<std::string> found, read(directory));
  if (found) return *found;
  SHUNT_ASSIGN(const auto there, directory.look(kName));
  const Result<void> made = put(directory, as_text(new_secret()), there.has_value());
  // Another process may have been first.
  if (!made && made.error().system_errno != EEXIST) return made.error();
  SHUNT_ASSIGN(found, read(directory));
  if (found) return *found;
  Error error;
  error.code = ErrorCode::kLocalIo;
  error.path = directory.path_of(kName);
  error.operation = "read";
  error.reason = "it does not contain what was written";
  return error;
}

}  // namespace shunt::cache
