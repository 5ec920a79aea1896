#include "io/signals.h"

namespace shunt::io {

void ignore_self_inflicted() {
  for (const int signal : kSelfInflicted) ::signal(signal, SIG_IGN);
}

}  // namespace shunt::io
