// SIGINT, SIGTERM, SIGHUP and SIGXCPU become requests to stop; what the program would bring upon
// itself by a write or a lease becomes an error of the call (process/signals.h).
#pragma once

#include "shunt/base/cancel.h"

namespace shunt::cli {

// The token that the handlers set; one for the process.
CancelToken& cancel_token();

void install_signal_handlers();

}  // namespace shunt::cli
