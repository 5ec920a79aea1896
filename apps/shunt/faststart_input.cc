#include "faststart_input.h"

#include <unistd.h>

#include "signals.h"
#include "source_options.h"

namespace shunt::cli {

Result<io::SourcePtr> FaststartInput::open(const std::string& name, faststart::Reading reading,
                                           io::Counters* counters) {
  opened_.reset();
  if (name == "-") {
    io::File in = io::File::adopt(io::Fd(::dup(STDIN_FILENO)), "-", counters);
    in.set_cancel(&cancel_token());
    return faststart::spool(in, &cancel_token());
  }
  if (!is_remote(name)) return faststart::open_source(name, reading, counters);
  if (!session_) session_.emplace(session_options(globals_));
  SHUNT_ASSIGN(opened_, session_->open(name));
  return opened_->source;
}

std::optional<Fetched> FaststartInput::fetched() const {
  if (!opened_) return std::nullopt;
  const remote::Traffic traffic = opened_->traffic();
  return Fetched{opened_->cached != nullptr ? opened_->cached->use().bytes_fetched : traffic.bytes,
                 traffic.requests};
}

}  // namespace shunt::cli
