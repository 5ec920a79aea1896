#include "shunt/in_place/journal_mark.h"

#include <sys/xattr.h>

#include <array>
#include <cerrno>
#include <climits>

#include "shunt/io/kernel.h"

namespace shunt::in_place {
namespace {

constexpr const char* kMark = "user.shunt.journal";

}  // namespace

JournalMark mark_of(const io::File& target) {
  std::array<char, NAME_MAX + 1> value{};
  const ssize_t size = ::fgetxattr(target.fd(), kMark, value.data(), value.size());
  if (size < 0) return {errno == ENODATA, {}};
  std::string name(value.data(), static_cast<std::size_t>(size));
  // A companion is hidden and lies beside its target. Any other name is not a valid mark.
  const bool is_companion = name.size() > 2 && name.front() == '.' &&
                            name.find('/') == std::string::npos &&
                            name.find('\0') == std::string::npos;
  if (!is_companion) return {};
  return {true, std::move(name)};
}

Result<void> set_mark(const io::File& target, const std::string& name) {
  if (io::kernel().fsetxattr(target.fd(), kMark, name.data(), name.size()) != 0) {
    return system_error(errno, target.path(), "mark as being edited");
  }
  if (io::kernel().fsync(target.fd()) == 0) return {};
  return system_error(errno, target.path(), "sync");
}

void clear_mark(const io::File& target) {
  if (::fgetxattr(target.fd(), kMark, nullptr, 0) < 0) return;
  (void)io::kernel().fremovexattr(target.fd(), kMark);
}

}  // namespace shunt::in_place
