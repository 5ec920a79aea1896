// Turns SIGINT, SIGTERM, SIGHUP and SIGXCPU into requests to stop. Ignores signals that the program
// causes itself, so that the call returns an error instead (process/signals.h).
#pragma once

#include "shunt/base/cancel.h"

namespace shunt::cli {

// Returns the process-wide token that the handlers set.
CancelToken& cancel_token();

void install_signal_handlers();

}  // namespace shunt::cli
