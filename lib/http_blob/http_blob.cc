#include "shunt/http_blob/http_blob.h"

#include <utility>

#include "shunt/http_blob/head_request.h"
#include "shunt/http_blob/range_download.h"
#include "shunt/http_blob/state.h"
#include "shunt/http_blob/unsized_read.h"

namespace shunt::http_blob {

namespace {

class HttpDownload final : public blob::Download {
 public:
  HttpDownload(std::shared_ptr<http::Client> client, std::shared_ptr<RangeDownload> request)
      : client_(std::move(client)), request_(std::move(request)) {}
  ~HttpDownload() override { request_->cancel(); }
  void resume() override { request_->resume(); }
  HttpDownload(const HttpDownload&) = delete;
  HttpDownload& operator=(const HttpDownload&) = delete;

 private:
  std::shared_ptr<http::Client> client_;  // used by the request until it is cancelled
  std::shared_ptr<RangeDownload> request_;
};

class HttpOrigin final : public blob::Origin {
 public:
  HttpOrigin(std::shared_ptr<http::Client> client, std::shared_ptr<BlobState> state)
      : client_(std::move(client)), state_(std::move(state)) {}

  const blob::Info& info() const override { return state_->info(); }
  std::unique_ptr<blob::Download> start(ByteRange range, blob::Receiver& receiver) override {
    auto request = std::make_shared<RangeDownload>(*client_, state_, range, receiver);
    // First: from start() on, the receiver is used until the Download is destroyed.
    auto download = std::make_unique<HttpDownload>(client_, request);
    request->start();
    return download;
  }
  bool serves_ranges() const override { return state_->serves_ranges(); }
  bool has_changed() const override { return state_->has_changed(); }
  double latency() const override { return state_->latency(); }
  double rate() const override { return state_->rate(); }
  blob::Traffic traffic() const override { return state_->traffic(); }

 private:
  std::shared_ptr<http::Client> client_;
  std::shared_ptr<BlobState> state_;
};

}  // namespace

Result<OpenedBlob> open_blob(const std::shared_ptr<http::Client>& client, HttpBlob blob,
                             const std::optional<blob::Info>& known) {
  SHUNT_ASSIGN(const auto state, BlobState::create(std::move(blob)));
  const auto request = std::make_shared<HeadRequest>(*client, state, known);
  request->start();
  SHUNT_ASSIGN(HeadRequest::Found found, request->wait());
  OpenedBlob opened;
  opened.unchanged = found.unchanged;
  opened.unsized = found.unsized;
  opened.head = std::move(found.head);
  if (found.unsized) {
    opened.traffic = state->traffic();
    return opened;
  }
  state->set_info(std::move(found.info));
  // Another answer may be of another version, and could not be joined to these bytes.
  if (!state->versions_show() && opened.head.size() != state->info().size) opened.head.clear();
  opened.origin = std::make_shared<HttpOrigin>(client, state);
  return opened;
}

std::shared_ptr<blob::Origin> assume_blob(const std::shared_ptr<http::Client>& client,
                                          HttpBlob blob, blob::Info info) {
  const auto state = BlobState::assume(std::move(blob));
  state->set_info(std::move(info));
  return std::make_shared<HttpOrigin>(client, state);
}

UnsizedEnd read_unsized(const std::shared_ptr<http::Client>& client, HttpBlob blob,
                        blob::Receiver& receiver, std::uint64_t most) {
  const auto state = BlobState::create(std::move(blob));
  if (!state) return {state.error(), {}};
  const auto request = std::make_shared<UnsizedRead>(*client, *state, receiver, most);
  request->start();
  Result<void> outcome = request->wait();
  return {std::move(outcome), (*state)->traffic()};
}

}  // namespace shunt::http_blob
