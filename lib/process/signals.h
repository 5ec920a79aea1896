// Signals that the program would bring upon itself.
#pragma once

#include <array>
#include <csignal>

namespace shunt::process {

// What these tell of shows as an error of the call as well, or does not matter; left alone they end
// the process, or stop it, with files between two states. A program that uses this library ignores
// them; one that is started from here has them as they are at first (Process).
inline constexpr std::array kSelfInflicted = {
    SIGPIPE,  // a write, whose reader has gone: EPIPE
    SIGXFSZ,  // a write, beyond the limit on the size of files (RLIMIT_FSIZE): EFBIG
    SIGIO,    // the lease on a file that somebody else opens
    SIGTTOU,  // words for a terminal that has other programs in front, and stops those behind
};

void ignore_self_inflicted();

}  // namespace shunt::process
