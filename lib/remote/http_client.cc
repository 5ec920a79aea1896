#include "remote/http_client.h"

#include <cerrno>
#include <condition_variable>
#include <list>
#include <mutex>
#include <utility>

#include "io/thread.h"
#include "remote/curl_engine.h"
#include "remote/curl_setup.h"
#include "remote/url.h"

namespace shunt::remote {

namespace {

class CurlCall final : public Call {
 public:
  CurlCall(std::shared_ptr<Engine> engine, std::shared_ptr<Transfer> transfer)
      : engine_(std::move(engine)), transfer_(std::move(transfer)) {}
  ~CurlCall() override {
    transfer_->cancel();
    engine_->remove(std::move(transfer_));
  }
  CurlCall(const CurlCall&) = delete;
  CurlCall& operator=(const CurlCall&) = delete;

 private:
  std::shared_ptr<Engine> engine_;
  std::shared_ptr<Transfer> transfer_;
};

// The threads of clients whose last owner was one of their own handlers. They end by themselves,
// but the process must not go away under them: they still clean up after libcurl.
class Orphans {
 public:
  static Orphans& instance() {
    static Orphans orphans;
    return orphans;
  }
  void adopt(std::list<io::Thread>& threads) noexcept {
    const std::lock_guard lock(mutex_);
    threads_.splice(threads_.end(), threads);
  }
  Orphans(const Orphans&) = delete;
  Orphans& operator=(const Orphans&) = delete;

 private:
  Orphans() = default;
  ~Orphans() = default;

  std::mutex mutex_;
  std::list<io::Thread> threads_;
};

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(std::shared_ptr<Engine> engine) : engine_(std::move(engine)), thread_(1) {}
  ~CurlClient() override {
    engine_->stop();
    if (thread_.front().is_current()) Orphans::instance().adopt(thread_);
  }
  Result<void> start() {
    SHUNT_ASSIGN(thread_.front(), io::Thread::start([kept = engine_] { return kept->run(); }));
    return {};
  }
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  std::unique_ptr<Call> send(Request request, AnswerHandler& handler) override {
    auto transfer = std::make_shared<Transfer>(std::move(request), handler);
    engine_->add(transfer);
    return std::make_unique<CurlCall>(engine_, std::move(transfer));
  }
  void post(std::function<void()> task, std::chrono::milliseconds delay) override {
    engine_->post(std::move(task), delay);
  }
  const ClientOptions& options() const override { return engine_->options(); }

 private:
  std::shared_ptr<Engine> engine_;
  std::list<io::Thread> thread_;  // one, in what others can take over without new memory
};

// Gathers an answer, and lets another thread wait for it.
class Collector final : public AnswerHandler {
 public:
  Collector(std::string shown_url, std::size_t limit)
      : shown_url_(std::move(shown_url)), limit_(limit) {}

  Result<void> answered(const Answer& answer) override {
    whole_.answer = answer;
    return {};
  }
  Result<void> body(std::span<const std::byte> bytes) override {
    if (bytes.size() > limit_ - whole_.body.size()) {
      Error error;
      error.code = ErrorCode::kNetwork;
      error.path = shown_url_;
      error.reason = "the answer is larger than it may be";
      return error;
    }
    whole_.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  void finished(Result<void> outcome) override {
    const std::lock_guard lock(mutex_);
    outcome_ = std::move(outcome);
    ended_ = true;
    changed_.notify_all();
  }
  Result<WholeAnswer> wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_; });
    SHUNT_TRY(std::move(outcome_));
    return std::move(whole_);
  }

 private:
  const std::string shown_url_;
  const std::size_t limit_;
  WholeAnswer whole_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  Result<void> outcome_;
};

}  // namespace

Result<std::shared_ptr<HttpClient>> HttpClient::start(const ClientOptions& options) {
  SHUNT_TRY(load_curl());
  Orphans::instance();  // from here on, so that it goes before what libcurl stands on
  MultiHandle multi(curl().multi_init());
  if (!multi) throw std::bad_alloc();
  // Where libcurl found no descriptors for it, nobody could wake the thread, to stop it either.
  if (curl().multi_wakeup(multi.get()) != CURLM_OK)
    return system_error(EMFILE, "", "start the HTTP client");
  auto engine = std::make_shared<Engine>(make_settings(options), std::move(multi));
  auto client = std::make_shared<CurlClient>(std::move(engine));
  SHUNT_TRY(client->start());
  return std::shared_ptr<HttpClient>(std::move(client));
}

Result<WholeAnswer> get_whole(HttpClient& client, Request request, std::size_t limit) {
  Collector collector(show_url(request.url), limit);
  const auto call = client.send(std::move(request), collector);
  return collector.wait();
}

}  // namespace shunt::remote
