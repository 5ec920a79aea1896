// shunt stream-sink: random writes in, one stream out.
#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "base/clock.h"
#include "base/size_text.h"
#include "command.h"
#include "exit_code.h"
#include "output.h"
#include "output_target.h"
#include "progress_bar.h"
#include "signals.h"
#include "sink/copy_stream.h"
#include "sink/session.h"
#include "sink_report.h"
#include "source_options.h"

namespace shunt::cli {
namespace {

constexpr const char* kStreamSinkDescription =
    "A disk that programs write over NBD, and that leaves as a stream.";
constexpr const char* kStreamSinkFooter =
    "One of --run, --listen and --stdin is needed. COMMAND finds the disk in $uri, $unixsocket "
    "and\n"
    "$size; without --listen, at a unix socket that only we may use. Without --run, the first\n"
    "signal is the end of the stream.\n"
    "WHEN: window sends bytes that are a window behind the highest byte written; at-end sends all\n"
    "at the end; auto sends what was written in order, a window behind, and the rest at the end\n"
    "once a client reads or rewrites. A write to bytes that have left is refused, and fails the\n"
    "whole.\n"
    "Memory: at most 16 MiB and what --memory says, and 1 MiB for each 10 GiB that are spilled.\n"
    "Exit: 0 done, 1 failed, 2 usage, 7 local I/O, 129, 130 and 143 interrupted; or the status of\n"
    "COMMAND, when that failed.";

class StreamSink final : public Command {
 public:
  explicit StreamSink(CLI::App& parent);

  [[nodiscard]] CLI::App* app() const override { return app_; }
  int run(const Globals& globals) override;

 private:
  Result<void> parse_options();
  Result<void> parse_disk();
  [[nodiscard]] Result<sink::Destination> open_output();
  [[nodiscard]] sink::SessionReport deliver(const Globals& globals);
  [[nodiscard]] sink::SessionReport copy_stdin(sink::Destination& out);
  [[nodiscard]] bool has_command() const { return !session_.command.empty(); }

  CLI::App* app_;
  std::string out_;
  std::string listen_;
  std::string size_;
  std::string window_ = "1M";
  std::string read_window_ = "0";
  std::string memory_ = "64M";
  std::string commit_ = "auto";
  std::string spill_;
  std::string digest_;
  bool sparse_ = false;
  bool stdin_ = false;
  bool advise_ = false;
  sink::DestinationOptions destination_;
  sink::SessionOptions session_;
  ProgressBar progress_;
};

StreamSink::StreamSink(CLI::App& parent)
    : app_(parent.add_subcommand("stream-sink", kStreamSinkDescription)) {
  app_->fallthrough();
  app_->footer(kStreamSinkFooter);
  app_->get_formatter()->column_width(26);
  add_output(*app_, out_, "Write to OUT; without it, or with -, standard output");
  app_->add_option("--run", session_.command, "Start COMMAND (sh); the stream ends when it exits")
      ->type_name("COMMAND");
  app_->add_option("--listen", listen_, "Serve at unix:PATH, tcp:HOST:PORT or fd (LISTEN_FDS)")
      ->type_name("WHERE");
  app_->add_flag("--until-disconnect", session_.until_disconnect,
                 "The stream ends when the last client has gone");
  app_->add_option("--size", size_, "Size of the disk; required without --stdin")
      ->type_name("SIZE");
  app_->add_flag("--truncate", session_.disk.truncate,
                 "End the stream at the highest byte written, not at SIZE");
  with_environment(
      app_->add_option("--window", window_, "How far back may be written (1M)")->type_name("SIZE"));
  with_environment(
      app_->add_option("--read-window", read_window_, "How much of what has left may be read (0)")
          ->type_name("SIZE"));
  with_environment(
      app_->add_option("--commit", commit_, "When bytes leave: window, at-end or auto (auto)")
          ->type_name("WHEN"));
  with_environment(
      app_->add_option("--memory", memory_, "For what has not left yet, at least 2M (64M)")
          ->type_name("SIZE"));
  with_environment(
      app_->add_option("--spill", spill_, "Folder for what is more ($TMPDIR, /var/tmp)")
          ->type_name("DIR|none"));
  app_->add_flag("--mkfifo", destination_.mkfifo, "Create OUT as a FIFO, and remove it at the end");
  app_->add_flag("--sparse", sparse_, "Holes instead of zeros, when OUT is a file");
  app_->add_option("--trace", session_.trace, "Write each request to FILE, a line of JSON each")
      ->type_name("FILE");
  app_->add_flag("--advise", advise_, "Tell the smallest window and memory that would do");
  app_->add_flag("--stdin", stdin_, "No disk: copy standard input, which is in order already");
  app_->add_option("--digest", digest_, "Tell the digest of what went out")->type_name("sha256");
  app_->add_flag("--force", destination_.force, "OUT may replace an existing file")
      ->configurable(false);
}

Result<void> StreamSink::parse_disk() {
  sink::Options& disk = session_.disk;
  SHUNT_ASSIGN(disk.size, parse_size(size_));
  SHUNT_ASSIGN(disk.window, parse_size(window_));
  SHUNT_ASSIGN(disk.read_window, parse_size(read_window_));
  SHUNT_ASSIGN(disk.memory, parse_size(memory_));
  if (disk.memory < sink::HeldBlocks::kLeastMemory) {
    return usage_error("stream-sink", "--memory takes at least 2M");
  }
  const auto policy = sink::parse_policy(commit_);
  if (!policy) return usage_error("stream-sink", "--commit takes window, at-end or auto");
  disk.policy = *policy;
  if (spill_.empty()) {
    const char* const folder = std::getenv("TMPDIR");
    disk.spill = folder != nullptr && *folder != '\0' ? folder : "/var/tmp";
  } else if (spill_ != "none") {
    disk.spill = spill_;
  }
  return {};
}

Result<void> StreamSink::parse_options() {
  if (!digest_.empty() && digest_ != "sha256") {
    return usage_error("stream-sink", "--digest takes sha256");
  }
  session_.disk.digest = !digest_.empty();
  session_.disk.zeros = sparse_ ? io::Zeros::kHoles : io::Zeros::kWritten;
  if (out_ == "-" && (destination_.force || destination_.mkfifo)) {
    return usage_error("stream-sink", "--force and --mkfifo go with -o OUT");
  }
  if (stdin_) {
    for (const char* const other : {"--run", "--listen", "--until-disconnect", "--size", "--trace",
                                    "--advise", "--truncate"}) {
      if (app_->count(other) > 0) {
        return usage_error("stream-sink", fmt::format("--stdin and {} exclude one another", other));
      }
    }
    return {};
  }
  if (size_.empty()) return usage_error("stream-sink", "--size is required, or --stdin");
  if (!has_command() && listen_.empty()) {
    return usage_error("stream-sink", "one of --run, --listen and --stdin is required");
  }
  if (!listen_.empty()) {
    SHUNT_ASSIGN(session_.address, sink::parse_address(listen_));
  }
  if (has_command() && session_.until_disconnect) {
    return usage_error("stream-sink", "with --run, the stream ends when the command does");
  }
  if (has_command() && session_.address.kind == sink::Address::Kind::kInherited) {
    return usage_error("stream-sink", "--run goes with a socket of ours, not with --listen fd");
  }
  return parse_disk();
}

Result<sink::Destination> StreamSink::open_output() {
  if (const std::optional<int> descriptor = output_descriptor(out_)) {
    SHUNT_ASSIGN(io::File stream, open_descriptor("stream-sink", *descriptor, out_));
    stream.set_cancel(nullptr);  // the first signal ends the disk, not the stream
    // The command of --run gets its own standard output and error, and no other of ours.
    if (*descriptor > STDERR_FILENO) ::fcntl(*descriptor, F_SETFD, FD_CLOEXEC);
    return sink::Destination(std::move(stream));
  }
  return sink::Destination::open(out_, destination_, cancel_token());
}

sink::SessionReport StreamSink::copy_stdin(sink::Destination& out) {
  sink::SessionReport report;
  const Stopwatch stopwatch;
  const auto work = [&]() -> Result<void> {
    io::File in = io::File::adopt(io::Fd(::dup(STDIN_FILENO)), "(standard input)");
    SHUNT_ASSIGN(const sink::Copied copied, sink::copy_stream(in, out.file(),
                                                              {.zeros = session_.disk.zeros,
                                                               .digest = session_.disk.digest,
                                                               .cancel = &cancel_token(),
                                                               .progress = session_.progress}));
    report.summary.bytes_in = report.summary.bytes_out = copied.bytes;
    report.summary.zero_bytes = copied.zero_bytes;
    report.summary.digest = copied.digest;
    report.summary.streamed = true;
    return out.commit();
  };
  if (const Result<void> done = work(); !done) report.error = done.error();
  report.seconds = stopwatch.seconds();
  return report;
}

sink::SessionReport StreamSink::deliver(const Globals& globals) {
  Result<sink::Destination> out = open_output();
  if (!out) {
    sink::SessionReport report;
    report.error = out.error();
    return report;
  }
  if (stdin_) return copy_stdin(*out);
  session_.listening = [&](const std::string& uri) {
    if (!has_command() && !uri.empty() && !globals.quiet) {
      print_line(Stream::kErr, fmt::format("serving at {}", uri));
    }
  };
  return sink::run_session(session_, *out);
}

int StreamSink::run(const Globals& globals) {
  if (out_.empty()) out_ = "-";
  const bool to_stdout = is_standard_output(out_);
  const Stream json_stream = to_stdout ? Stream::kErr : Stream::kOut;
  if (const Result<void> parsed = parse_options(); !parsed) {
    print_error(globals, parsed.error(), json_stream);
    return exit_code_of(parsed.error().code, cancel_token());
  }
  session_.cancel = &cancel_token();
  if (to_stdout) session_.command_output = sink::ChildOutput::kToStandardError;
  if (globals.shows_progress()) session_.progress = &progress_;
  const sink::SessionReport report = deliver(globals);
  progress_.clear();
  const SinkReportStyle style{.kind = stdin_ ? "stdin" : commit_, .advise = advise_};
  if (globals.json) {
    print_sink_json(json_stream, report, style);
  } else {
    print_sink_text(globals, report, style);
  }
  if (!report.error) return kDone;
  const bool stopped = report.error->code == ErrorCode::kInterrupted;
  if (report.command_status.value_or(0) != 0 && !stopped) return *report.command_status;
  return exit_code_of(report.error->code, cancel_token());
}

}  // namespace

std::unique_ptr<Command> make_stream_sink(CLI::App& parent) {
  return std::make_unique<StreamSink>(parent);
}

}  // namespace shunt::cli
