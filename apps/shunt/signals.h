// SIGINT, SIGTERM, SIGHUP and SIGXCPU become requests to stop; what the program would bring upon
// itself by a write or a lease becomes an error of the call (io/signals.h).
#pragma once

#include "base/cancel.h"

namespace shunt::cli {

// The token that the handlers set; one for the process.
CancelToken& cancel_token();

void install_signal_handlers();

}  // namespace shunt::cli
