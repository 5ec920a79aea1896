#include "shunt/http/client.h"

#include <cerrno>
#include <list>
#include <utility>

#include "shunt/base/mutex.h"
#include "shunt/http/curl_engine.h"
#include "shunt/http/curl_setup.h"
#include "shunt/http/url.h"
#include "shunt/io/thread.h"

namespace shunt::http {

namespace {

class CurlCall final : public Call {
 public:
  CurlCall(std::shared_ptr<Engine> engine, std::shared_ptr<Transfer> transfer)
      : engine_(std::move(engine)), transfer_(std::move(transfer)) {}
  ~CurlCall() override {
    transfer_->cancel();
    engine_->remove(std::move(transfer_));
  }
  void resume() override { engine_->resume(transfer_); }
  CurlCall(const CurlCall&) = delete;
  CurlCall& operator=(const CurlCall&) = delete;

 private:
  std::shared_ptr<Engine> engine_;
  std::shared_ptr<Transfer> transfer_;
};

// Threads of clients whose last owner was one of their own handlers. They end by themselves, but
// the process must not exit before: they still clean up libcurl.
class Orphans {
 public:
  static Orphans& instance() {
    static Orphans orphans;
    return orphans;
  }
  void adopt(std::list<io::Thread>& threads) noexcept {
    const Lock lock(mutex_);
    threads_.splice(threads_.end(), threads);
  }
  Orphans(const Orphans&) = delete;
  Orphans& operator=(const Orphans&) = delete;

 private:
  Orphans() = default;
  ~Orphans() = default;

  Mutex mutex_;
  std::list<io::Thread> threads_ SHUNT_GUARDED_BY(mutex_);
};

class CurlClient final : public Client {
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
  std::list<io::Thread> thread_;  // at most one; a list is spliced without allocating
};

}  // namespace

Result<std::shared_ptr<Client>> Client::start(const ClientOptions& options) {
  SHUNT_TRY(load_curl());
  Orphans::instance();  // constructed here, so that it is destroyed before what libcurl depends on
  MultiHandle multi(curl().multi_init());
  if (!multi) throw std::bad_alloc();
  // Without a wakeup descriptor nothing could wake the thread, not even to stop it.
  if (curl().multi_wakeup(multi.get()) != CURLM_OK)
    return system_error(EMFILE, "", "start the HTTP client");
  auto engine = std::make_shared<Engine>(make_settings(options), std::move(multi));
  auto client = std::make_shared<CurlClient>(std::move(engine));
  SHUNT_TRY(client->start());
  return std::shared_ptr<Client>(std::move(client));
}

}  // namespace shunt::http
