// SIGINT, SIGTERM and SIGHUP become requests to stop; SIGPIPE becomes an error of the write.
#pragma once

#include "base/cancel.h"

namespace shunt::cli {

// The token that the handlers set; one for the process.
CancelToken& cancel_token();

void install_signal_handlers();

}  // namespace shunt::cli
