// shunt stream-sink: takes random writes and sends one stream.
#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>

#include "command.h"
#include "exit_code.h"
#include "nearest.h"
#include "output.h"
#include "output_target.h"
#include "progress_bar.h"
#include "settings.h"
#include "shunt/base/clock.h"
#include "shunt/files/destination.h"
#include "shunt/files/output_name.h"
#include "shunt/io/duplicate.h"
#include "shunt/io/temporary.h"
#include "shunt/serve/session.h"
#include "shunt/sink/consumer.h"
#include "shunt/sink/copy_stream.h"
#include "shunt/sink/spill_file.h"
#include "shunt/text/duration_text.h"
#include "shunt/text/size_text.h"
#include "signals.h"
#include "sink_report.h"
#include "source_options.h"

namespace shunt::cli {
namespace {

constexpr const char* kStreamSinkDescription =
    "Turn the writes of programs to an NBD disk into a stream.";
constexpr const char* kStreamSinkFooter =
    "One of --run, --listen and --stdin is required. COMMAND finds the disk in $uri, $unixsocket "
    "and\n"
    "$size; without --listen it is a unix socket that only the same user can open. Without --run, "
    "the\n"
    "first signal ends the stream. The run fails if a client was not done then, or if nothing was\n"
    "written. A client is done when it disconnects (NBD_CMD_DISC), or flushes after its last "
    "write.\n"
    "WHEN: window sends bytes that are a window behind the highest byte written; at-end sends all\n"
    "at the end; auto sends what was written in order, a window behind, and the rest at the end\n"
    "once a client reads or rewrites. A write to sent bytes is refused, and the run fails.\n"
    "Memory: at most 16 MiB and what --memory says, however much is spilled.\n"
    "Exit: 0 done, 1 failed, 2 usage, 7 local I/O, 8 in use, 129, 130, 143 and 152 interrupted;\n"
    "or the status of COMMAND, if that failed.";

std::string is_duration(const std::string& text) {
  const Result<std::chrono::milliseconds> duration = parse_duration(text);
  return duration ? "" : duration.error().reason;
}

std::string is_memory(const std::string& text) {
  if (std::string wrong = is_size(text); !wrong.empty()) return wrong;
  return parse_size(text).value() < sink::HeldBlocks::kLeastMemory ? "it takes at least 2M" : "";
}

class StreamSink final : public Command {
 public:
  explicit StreamSink(CLI::App& parent);

  [[nodiscard]] CLI::App* app() const override { return app_; }
  [[nodiscard]] bool data_on_stdout(const std::string& out) const override {
    return out.empty() || files::is_standard_output(out);
  }
  int run(const Globals& globals) override;

 private:
  Result<void> parse_options(bool json);
  Result<void> parse_disk();
  [[nodiscard]] Result<files::Destination> open_output();
  [[nodiscard]] serve::SessionReport deliver(const Globals& globals);
  [[nodiscard]] serve::SessionReport send(const Globals& globals);
  void end_consumer(serve::SessionReport& report);
  [[nodiscard]] static int exit_code(const serve::SessionReport& report);
  [[nodiscard]] serve::SessionReport copy_stdin(files::Destination& out);
  [[nodiscard]] bool has_command() const { return !session_.command.empty(); }

  CLI::App* app_;
  std::string out_;
  std::string to_;
  std::string listen_;
  std::string size_;
  std::string return_time_ = "2s";
  std::string window_ = "1M";
  std::string read_window_ = "0";
  std::string memory_ = "64M";
  std::string commit_ = "auto";
  std::string spill_;
  std::string digest_;
  bool sparse_ = false;
  bool stdin_ = false;
  bool advise_ = false;
  files::DestinationOptions destination_;
  serve::SessionOptions session_;
  ProgressBar progress_;
  std::unique_ptr<sink::Consumer> consumer_;
};

StreamSink::StreamSink(CLI::App& parent)
    : app_(parent.add_subcommand("stream-sink", kStreamSinkDescription)) {
  app_->fallthrough();
  app_->footer(kStreamSinkFooter);
  add_output(*app_, out_, "Write to OUT; without it, or with -, standard output");
  app_->add_option("--to", to_, "Pipe the stream into COMMAND (sh)")->type_name("COMMAND");
  app_->add_option("--run", session_.command, "Start COMMAND (sh); the stream ends when it exits")
      ->type_name("COMMAND");
  app_->add_option("--listen", listen_, "Serve at unix:PATH, tcp:HOST:PORT or fd (LISTEN_FDS)")
      ->type_name("WHERE");
  app_->add_flag("--until-disconnect", session_.until_disconnect,
                 "The stream ends when the last client that wrote has gone");
  with_environment(app_->add_option("--return-time", return_time_,
                                    "Time for clients to finish or reconnect (2s)")
                       ->check(is_duration)
                       ->type_name("TIME"));
  app_->add_flag("--allow-empty", session_.allow_empty, "Succeed even if nothing was written");
  app_->add_option("--size", size_, "Size of the disk; required without --stdin")
      ->check(is_size)
      ->type_name("SIZE");
  app_->add_flag("--truncate", session_.disk.truncate,
                 "End the stream after what was written, not at SIZE");
  with_environment(app_->add_option("--window", window_, "How far back writes may reach (1M)")
                       ->check(is_size)
                       ->type_name("SIZE"));
  with_environment(
      app_->add_option("--read-window", read_window_, "How far back sent bytes can be read (0)")
          ->check(is_size)
          ->type_name("SIZE"));
  with_environment(
      app_->add_option("--commit", commit_, "When bytes are sent: window, at-end, auto (auto)")
          ->check(one_of({"window", "at-end", "auto"}))
          ->type_name("WHEN"));
  with_environment(
      app_->add_option("--memory", memory_, "Memory for unsent data, at least 2M (64M)")
          ->check(is_memory)
          ->type_name("SIZE"));
  with_environment(
      app_->add_option("--spill", spill_, "Folder for data beyond --memory ($TMPDIR, /var/tmp)")
          ->type_name("DIR|none"));
  app_->add_flag("--mkfifo", destination_.mkfifo, "Create OUT as a FIFO, and remove it at the end");
  with_environment(
      app_->add_flag("--sparse", sparse_, "Holes instead of zeros, when OUT is a file"));
  app_->add_option("--trace", session_.trace,
                   "Write each request to the new FILE, one JSON line each")
      ->type_name("FILE");
  app_->add_flag("--advise", advise_, "Report which --window and --memory would be enough");
  app_->add_flag("--stdin", stdin_, "No disk: copy standard input, already in order");
  with_environment(app_->add_option("--digest", digest_, "Report the digest of the stream")
                       ->check(one_of({"sha256"}))
                       ->type_name("sha256"));
  app_->add_flag("--force", destination_.force, "OUT and --trace may replace existing files");
}

Result<void> StreamSink::parse_disk() {
  sink::Options& disk = session_.disk;
  SHUNT_ASSIGN(session_.return_time, parse_duration(return_time_));
  SHUNT_ASSIGN(disk.size, parse_size(size_));
  SHUNT_ASSIGN(disk.window, parse_size(window_));
  SHUNT_ASSIGN(disk.read_window, parse_size(read_window_));
  SHUNT_ASSIGN(disk.memory, parse_size(memory_));
  disk.policy = sink::parse_policy(commit_).value();
  if (spill_.empty()) {
    disk.spill = io::temporary_folder();
  } else if (spill_ != "none") {
    disk.spill = spill_;
  }
  return {};
}

Result<void> StreamSink::parse_options(bool json) {
  session_.disk.digest = !digest_.empty();
  session_.disk.offer_as_window = advise_;
  session_.disk.zeros = sparse_ ? streams::Zeros::kHoles : streams::Zeros::kWritten;
  session_.replace_trace = destination_.force;
  if (!to_.empty() && app_->count("--output") > 0) {
    return usage_error("stream-sink", "--to and --output exclude one another");
  }
  if (!session_.trace.empty() && files::is_standard_output(session_.trace) &&
      (json || files::is_standard_output(out_))) {
    return usage_error("stream-sink", "--trace goes to standard output, where other output goes");
  }
  if (out_ == "-" && (destination_.mkfifo || (destination_.force && session_.trace.empty()))) {
    return usage_error("stream-sink", "--force and --mkfifo go with -o OUT");
  }
  if (stdin_) {
    for (const char* const other : {"--run", "--listen", "--until-disconnect", "--size", "--trace",
                                    "--advise", "--truncate", "--return-time", "--allow-empty"}) {
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
    SHUNT_ASSIGN(session_.address, serve::parse_address(listen_));
  }
  if (has_command() && session_.until_disconnect) {
    return usage_error("stream-sink", "with --run, the stream ends when the command does");
  }
  if (has_command() && session_.address.kind == serve::Address::Kind::kInherited) {
    return usage_error("stream-sink", "--run goes with a socket of ours, not with --listen fd");
  }
  return parse_disk();
}

Result<files::Destination> StreamSink::open_output() {
  if (!to_.empty()) {
    SHUNT_ASSIGN(consumer_, sink::Consumer::start(to_));
    SHUNT_ASSIGN(io::File stream, consumer_->stream());
    return files::Destination(std::move(stream));
  }
  Result<files::Destination> out = files::Destination::open(out_, destination_, cancel_token());
  if (!out) return with_help_hint("stream-sink", out.error());
  out->file().set_cancel(nullptr);  // the first signal ends the disk, not the stream
  // The command of --run gets our standard output and error, but no other descriptor.
  if (const auto descriptor = files::output_descriptor(out_); descriptor > STDERR_FILENO) {
    ::fcntl(*descriptor, F_SETFD, FD_CLOEXEC);
  }
  return out;
}

serve::SessionReport StreamSink::copy_stdin(files::Destination& out) {
  serve::SessionReport report;
  const Stopwatch stopwatch;
  const Result<io::File> in = io::duplicate(STDIN_FILENO, "(standard input)", "read");
  if (!in) {
    report.error = in.error();
    return report;
  }
  report.began = true;
  const sink::Copied copied = sink::copy_stream(
      *in, out.file(),
      {.zeros = session_.disk.zeros, .digest = session_.disk.digest, .context = session_.context});
  report.summary.bytes_in = report.summary.bytes_out = copied.bytes;
  report.summary.zero_bytes = copied.zero_bytes;
  report.summary.digest = copied.digest;
  report.error = copied.error;
  if (!report.error) {
    report.summary.streamed = true;
    if (const Result<void> done = out.commit(); !done) report.error = done.error();
  }
  report.seconds = stopwatch.seconds();
  return report;
}

// Its exit status counts like the stream's; for a failed stream it explains the failure.
void StreamSink::end_consumer(serve::SessionReport& report) {
  constexpr int kToSayWhy = 1000;  // ms
  const bool gone = report.error && report.error->system_errno == EPIPE;
  if (report.error) {
    report.consumer_status = consumer_->give_up(gone ? kToSayWhy : 0);
  } else if (const Result<sink::ExitStatus> ended = consumer_->finish(cancel_token()); ended) {
    report.consumer_status = *ended;
  } else {
    report.error = ended.error();
  }
  if (gone && consumer_->used_terminal()) report.error = consumer_->used_terminal();
  if (report.consumer_status.value_or(0) == 0 || (report.error && !gone)) return;
  report.error = Error{};
  report.error->reason =
      fmt::format("the command of --to ended with status {}{}", *report.consumer_status,
                  gone ? " before it had read the whole stream" : "");
}

serve::SessionReport StreamSink::deliver(const Globals& globals) {
  serve::SessionReport report = send(globals);
  if (consumer_) end_consumer(report);
  return report;
}

serve::SessionReport StreamSink::send(const Globals& globals) {
  // A default folder may never be needed.
  if (!spill_.empty() && !session_.disk.spill.empty()) {
    if (const Result<void> tried = sink::SpillFile::try_folder(session_.disk.spill); !tried) {
      serve::SessionReport report;
      report.error = tried.error();
      return report;
    }
  }
  Result<files::Destination> out = open_output();
  if (!out) {
    serve::SessionReport report;
    report.error = out.error();
    return report;
  }
  if (stdin_) return copy_stdin(*out);
  session_.listening = [&](const std::string& uri) {
    if (!has_command() && !uri.empty() && !globals.quiet) {
      print_line(Stream::kErr, fmt::format("serving at {}", uri));
    }
  };
  return serve::run_session(session_, *out);
}

int StreamSink::run(const Globals& globals) {
  if (out_.empty()) out_ = "-";
  const bool to_stdout = files::is_standard_output(out_);
  const Stream json_stream = to_stdout ? Stream::kErr : Stream::kOut;
  if (const Result<void> parsed = parse_options(globals.json); !parsed) {
    print_error(globals, parsed.error(), json_stream);
    return exit_code_of(parsed.error().code, cancel_token());
  }
  session_.context.cancel = &cancel_token();
  if (to_stdout) session_.command_output = serve::ChildOutput::kToStandardError;
  progress_.start(globals, "streaming");
  ProgressBar::Part progress(progress_, to_stdout ? "" : out_);
  session_.context.progress = progress.progress();
  const serve::SessionReport report = deliver(globals);
  progress_.stop();
  const int code = exit_code(report);
  const SinkReportStyle style{.kind = stdin_ ? "stdin" : commit_,
                              .size = session_.disk.size,
                              .exit_code = code,
                              .advise = advise_};
  if (globals.json) {
    print_sink_json(json_stream, report, style);
  } else {
    print_sink_text(globals, report, style);
  }
  return code;
}

// Returns the exit status of COMMAND if that failed by itself.
int StreamSink::exit_code(const serve::SessionReport& report) {
  if (!report.error) return kDone;
  const bool stopped = report.error->code == ErrorCode::kInterrupted;
  const bool command_failed = report.command_status.value_or(0) != 0;
  if (command_failed && !stopped && report.consumer_status.value_or(0) == 0) {
    return *report.command_status;
  }
  return exit_code_of(report.error->code, cancel_token());
}

}  // namespace

std::unique_ptr<Command> make_stream_sink(CLI::App& parent) {
  return std::make_unique<StreamSink>(parent);
}

}  // namespace shunt::cli
