#include "shunt/source/local/local_schemes.h"

#include <unistd.h>

#include <cstddef>
#include <span>
#include <vector>

#include "shunt/io/duplicate.h"
#include "shunt/io/file.h"
#include "shunt/io/spool.h"
#include "shunt/source/session.h"

namespace shunt::source {
namespace {

constexpr std::string_view kStdin = "-";

class PathScheme final : public Scheme {
 public:
  bool claims(std::string_view name) const override {
    return !name.empty() && name != kStdin && scheme_of(name).empty();
  }
  bool is_file() const override { return true; }
  Result<Opened> open(Session& session, const std::string& name,
                      const std::string& /*part*/) const override {
    const auto file = io::FileSource::open(name);
    if (!file) return session.schemes().with_guess(file.error(), name);
    Opened opened;
    opened.name = name;
    opened.source = *file;
    return opened;
  }
};

Result<io::SourcePtr> spool_stdin(const CancelToken* cancel) {
  SHUNT_ASSIGN(io::File in, io::duplicate(STDIN_FILENO, std::string(kStdin), "read"));
  in.set_cancel(cancel);
  io::Spool spool;
  std::vector<std::byte> buffer(std::size_t{256} << 10);
  while (true) {
    SHUNT_TRY(check_cancel(cancel));
    SHUNT_ASSIGN(const std::size_t got, in.read_some(buffer));
    if (got == 0) {
      // A signal to stop often ends the writer of our input too.
      SHUNT_TRY(check_cancel(cancel));
      return spool.finish(std::string(kStdin));
    }
    SHUNT_TRY(spool.append(std::span(buffer).first(got)));
  }
}

class StdinScheme final : public Scheme {
 public:
  bool claims(std::string_view name) const override { return name == kStdin; }
  Result<Opened> open(Session& session, const std::string& name,
                      const std::string& /*part*/) const override {
    Opened opened;
    opened.name = name;
    SHUNT_ASSIGN(opened.source, spool_stdin(session.options().cancel));
    return opened;
  }
};

}  // namespace

std::unique_ptr<const Scheme> path_scheme() {
  return std::make_unique<PathScheme>();
}

std::unique_ptr<const Scheme> stdin_scheme() {
  return std::make_unique<StdinScheme>();
}

}  // namespace shunt::source
