// Signals that the program causes itself.
#pragma once

#include <array>
#include <csignal>

namespace shunt::process {

// Each of these also shows as an error of the call, or does not matter; the default action would
// end or stop the process with files in an intermediate state. A program that uses this library
// ignores them; a child process gets the default handling (Process).
inline constexpr std::array kSelfInflicted = {
    SIGPIPE,  // write to a pipe without reader: EPIPE
    SIGXFSZ,  // write beyond the limit on file sizes (RLIMIT_FSIZE): EFBIG
    SIGIO,    // another process opens a file that we have leased
    SIGTTOU,  // output to a terminal from the background
};

void ignore_self_inflicted();

}  // namespace shunt::process
