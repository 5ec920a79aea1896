#include "faststart_input.h"

#include <unistd.h>

#include "schemes.h"
#include "shunt/io/duplicate.h"
#include "signals.h"
#include "source_options.h"

namespace shunt::cli {

Result<io::SourcePtr> FaststartInput::open(const std::string& name, faststart::Reading reading,
                                           io::Counters* counters) {
  opened_.reset();
  SHUNT_TRY(schemes().find(name, layer_));
  if (name == "-") {
    SHUNT_ASSIGN(io::File in, io::duplicate(STDIN_FILENO, "-", "read", counters));
    in.set_cancel(&cancel_token());
    return faststart::spool(in, &cancel_token());
  }
  if (schemes().is_file(name)) {
    auto file = faststart::open_source(name, reading, counters, &cancel_token());
    return file ? file : schemes().with_guess(file.error(), name);
  }
  if (!session_) session_.emplace(make_schemes(), session_options(globals_));
  SHUNT_ASSIGN(opened_, session_->open(name, layer_));
  return opened_->source;
}

Progress* FaststartInput::progress(Progress* to) {
  progress_.reset();
  if (to == nullptr || !opened_ || opened_->far_away() == nullptr) return to;
  return &progress_.emplace(to, opened_->source);
}

std::optional<Fetched> FaststartInput::fetched() const {
  if (!opened_) return std::nullopt;
  return Fetched{opened_->bytes_fetched(), opened_->traffic().requests};
}

}  // namespace shunt::cli
