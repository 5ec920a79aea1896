#include "shunt/process/signals.h"

namespace shunt::process {

void ignore_self_inflicted() {
  for (const int signal : kSelfInflicted) ::signal(signal, SIG_IGN);
}

}  // namespace shunt::process
