#include "faststart_input.h"

#include <unistd.h>

#include "io/duplicate.h"
#include "signals.h"
#include "source_options.h"

namespace shunt::cli {

Result<io::SourcePtr> FaststartInput::open(const std::string& name, faststart::Reading reading,
                                           io::Counters* counters) {
  opened_.reset();
  SHUNT_TRY(fetch::check_layer(name, layer_));
  if (name == "-") {
    SHUNT_ASSIGN(io::File in, io::duplicate(STDIN_FILENO, "-", "read", counters));
    in.set_cancel(&cancel_token());
    return faststart::spool(in, &cancel_token());
  }
  SHUNT_TRY(fetch::check_kind(name));
  if (!is_remote(name)) {
    auto file = faststart::open_source(name, reading, counters, &cancel_token());
    return file ? file : fetch::guess_name(file.error(), name);
  }
  if (!session_) session_.emplace(session_options(globals_));
  SHUNT_ASSIGN(opened_, session_->open(name, layer_));
  return opened_->source;
}

Progress* FaststartInput::progress(Progress* to) {
  progress_.reset();
  if (to == nullptr || !opened_ || opened_->cached == nullptr) return to;
  return &progress_.emplace(to, opened_->cached);
}

std::optional<Fetched> FaststartInput::fetched() const {
  if (!opened_) return std::nullopt;
  const remote::Traffic traffic = opened_->traffic();
  return Fetched{opened_->cached != nullptr ? opened_->cached->use().bytes_fetched : traffic.bytes,
                 traffic.requests};
}

}  // namespace shunt::cli
