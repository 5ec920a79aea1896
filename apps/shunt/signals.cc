#include "signals.h"

#include <csignal>

#include "shunt/process/signals.h"

namespace shunt::cli {
namespace {

CancelToken token;

void on_signal(int number) {
  token.request(number);
}

}  // namespace

CancelToken& cancel_token() {
  return token;
}

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  // Long calls, such as a sync, continue: stopping happens between steps.
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  // The terminal has gone. Under nohup(1), which ignores the signal, work continues.
  struct sigaction before {};
  if (::sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) {
    ::sigaction(SIGHUP, &action, nullptr);
  }
  // A limit on processor time. It comes each second until the hard limit kills.
  ::sigaction(SIGXCPU, &action, nullptr);
  process::ignore_self_inflicted();
}

}  // namespace shunt::cli
