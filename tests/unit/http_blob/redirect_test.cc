// Where requests lead, and as whom they are sent.
#include <array>
#include <atomic>
#include <functional>

#include "shunt/http/curl_setup.h"
#include "unit/http_blob/blob_fixture.h"

namespace shunt::http_blob {
namespace {

// ---- redirects --------------------------------------------------------------------------------

Fault redirect_to(const std::string& location, int status = 302) {
  return Fault{.status = status, .body_text = "over there", .fields = {{"Location", location}}};
}

TEST_CASE("redirects of all kinds are followed, and remembered") {
  for (const int status : {301, 302, 303, 307, 308}) {
    FaultServer server({.size = kSize}, [&](const SeenRequest& seen) {
      return seen.target == "/blob" ? redirect_to("store/there", status) : Fault();
    });
    const auto opened = open_blob(start_client(), blob_at(server.url()), {});
    REQUIRE(opened);
    Sink sink;
    REQUIRE(download(*opened->origin, {0, 1000}, sink));
    const auto seen = server.requests();
    REQUIRE(seen.size() == 3);
    CHECK(seen[1].target == "/store/there");
    CHECK(seen[1].field("range") == "bytes=0-65535");
    CHECK(seen[2].target == "/store/there");
    CHECK(opened->origin->traffic().requests == 3);
    CHECK(opened->origin->traffic().data_requests == 2);
    CHECK(opened->origin->info().name == server.url());
  }
}

TEST_CASE("redirects that lead nowhere, in circles or to other schemes") {
  const auto client = start_client();
  for (const Fault& fault : {redirect_to("/blob"), redirect_to("ftp://127.0.0.1/x"),
                             redirect_to("file:///etc/passwd"), Fault{.status = 302}}) {
    FaultServer server({.size = kSize}, [&](const SeenRequest&) { return fault; });
    const auto opened = open_blob(client, blob_at(server.url()), {});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == ErrorCode::kNetwork);
    CHECK(server.requests().size() <= 11);
  }
}

TEST_CASE("nothing of the user's goes to another host or port") {
  FaultServer store({.size = kSize});
  FaultServer server({.size = kSize},
                     [&](const SeenRequest&) { return redirect_to(store.url("/signed")); });
  HttpBlob blob = blob_at(server.url());
  blob.url.insert(7, "me:pass%20word@");
  blob.fields = {{"X-Secret", "1"}, {"Range", "bytes=5-6"}, {"Accept-Encoding", "gzip"}};
  const auto client = start_client();
  const auto opened = open_blob(client, blob, {});
  REQUIRE(opened);
  CHECK(opened->origin->info().name == server.url());
  Sink sink;
  REQUIRE(download(*opened->origin, {0, 1000}, sink));

  const SeenRequest first = server.requests().at(0);
  CHECK(first.field("authorization") == "Basic bWU6cGFzcyB3b3Jk");
  CHECK(first.field("x-secret") == "1");
  CHECK(first.field("range") == "bytes=0-65535");
  CHECK_FALSE(first.has("accept-encoding"));
  CHECK(store.requests().size() == 2);
  for (const SeenRequest& seen : store.requests()) {
    CHECK_FALSE(seen.has("authorization"));
    CHECK_FALSE(seen.has("x-secret"));
    CHECK_FALSE(seen.has("cookie"));
  }

  blob.url = server.url();  // a field of the user's own
  blob.fields = {{"Authorization", "Bearer mine"}};
  REQUIRE(open_blob(client, blob, {}));
  CHECK(server.requests().back().field("authorization") == "Bearer mine");
  CHECK_FALSE(store.requests().back().has("authorization"));
}

TEST_CASE("a scheme in upper case is the same scheme, and its ground the same ground") {
  FaultServer store({.size = kSize});
  std::string upper_store = store.url("/there");
  upper_store.replace(0, 4, "HTTP");
  FaultServer server({.size = kSize}, [&](const SeenRequest& seen) {
    if (seen.target == "/there") return redirect_to(upper_store);
    return redirect_to(fmt::format("HTTP://127.0.0.1:{}/there",
                                   seen.field("host").substr(seen.field("host").find(':') + 1)));
  });
  HttpBlob blob = blob_at(server.url());
  blob.url.replace(0, 7, "HTTP://me:pw@");
  blob.fields = {{"X-Secret", "1"}};
  const auto opened = open_blob(start_client(), blob, {});
  REQUIRE(opened);
  CHECK(opened->origin->info().size == kSize);
  REQUIRE(server.requests().size() == 2);
  for (const SeenRequest& seen : server.requests()) {
    CHECK(seen.field("authorization") == "Basic bWU6cHc=");
    CHECK(seen.field("x-secret") == "1");
  }
  CHECK_FALSE(store.requests().at(0).has("authorization"));
  CHECK_FALSE(store.requests().at(0).has("x-secret"));
}

TEST_CASE("a redirect that has expired is resolved again, once") {
  for (const int status : {401, 403, 404, 410}) {
    // Each signature is good for two requests.
    std::atomic<int> signatures{0};
    std::array<std::atomic<int>, 100> used{};
    FaultServer store({.size = kSize}, [&](const SeenRequest& seen) {
      const auto signature = static_cast<std::size_t>(std::stoi(seen.target.substr(8)));
      if (++used.at(signature) > 2) return Fault{.status = status};
      return Fault{.cut_at = 200'000};
    });
    FaultServer server({.size = kSize}, [&](const SeenRequest&) {
      return redirect_to(store.url(fmt::format("/signed/{}", ++signatures)));
    });
    const auto client = start_client();
    const auto origin = assume_blob(client, blob_at(server.url()), info_of());
    Sink sink;
    REQUIRE(download(*origin, {0, kSize}, sink));
    CHECK((sink.received == store.bytes(0, kSize)));
    CHECK(signatures >= 3);

    FaultServer dead({.size = kSize}, [&](const SeenRequest&) { return Fault{.status = status}; });
    FaultServer entrance({.size = kSize},
                         [&](const SeenRequest&) { return redirect_to(dead.url("/x")); });
    const auto opened = open_blob(client, blob_at(entrance.url()), {});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().reason.find(std::to_string(status)) != std::string::npos);
    CHECK(entrance.requests().size() == 2);
    CHECK(dead.requests().size() == 2);
  }
}

// Answers as told, without any network; on the thread of a real client.
class ScriptedClient final : public http::Client {
 public:
  using Script = std::function<Result<http::Answer>(const http::Request&)>;
  ScriptedClient(std::shared_ptr<http::Client> real, Script script)
      : real_(std::move(real)), script_(std::move(script)) {}
  std::unique_ptr<http::Call> send(http::Request request, http::AnswerHandler& handler) override {
    requests.push_back(request);
    real_->post(
        [this, request, &handler] {
          const auto answer = script_(request);
          handler.finished(answer ? handler.answered(*answer) : Result<void>(answer.error()));
        },
        1ms);
    return std::make_unique<http::Call>();
  }
  void post(std::function<void()> task, std::chrono::milliseconds delay) override {
    real_->post(std::move(task), delay);
  }
  const http::ClientOptions& options() const override { return real_->options(); }
  std::vector<http::Request> requests;

 private:
  std::shared_ptr<http::Client> real_;
  Script script_;
};

TEST_CASE("a redirect from https to http is not followed") {
  for (const std::string scheme : {"http", "https"}) {
    const auto client = std::make_shared<ScriptedClient>(
        start_client(), [&](const http::Request& request) -> Result<http::Answer> {
          if (request.url == "https://secure.invalid/blob") {
            return http::Answer{302, {{"Location", scheme + "://cdn.invalid/blob"}}, 0};
          }
          return http::Answer{416, {{"Content-Range", "bytes */0"}}, 0};
        });
    const auto opened = open_blob(client, blob_at("https://secure.invalid/blob"), {});
    CHECK(opened.has_value() == (scheme == "https"));
    CHECK(client->requests.size() == (scheme == "https" ? 2u : 1u));
    if (!opened) CHECK(opened.error().code == ErrorCode::kNetwork);
  }
}

TEST_CASE("a certificate that is not trusted is not asked for again") {
  const auto client = std::make_shared<ScriptedClient>(
      start_client(), [](const http::Request& request) -> Result<http::Answer> {
        return curl_error(CURLE_PEER_FAILED_VERIFICATION, request, "self-signed certificate");
      });
  const auto opened = open_blob(client, blob_at("https://secure.invalid/blob"), {});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kNetwork);
  CHECK(opened.error().hint.find("SSL_CERT_FILE") != std::string::npos);
  CHECK(client->requests.size() == 1);
}

// ---- 401 --------------------------------------------------------------------------------------

// Hands out "Bearer 1", "Bearer 2", … for one origin, from another thread.
class Tokens final : public blob::Authorizer {
 public:
  Tokens(std::shared_ptr<http::Client> client, std::string ground)
      : client_(std::move(client)), ground_(std::move(ground)) {}
  std::string sign(blob::Request& request) override {
    if (!request.url.starts_with(ground_)) return {};
    const std::string value = fmt::format("Bearer {}", current.load());
    request.fields.push_back({"Authorization", value});
    return value;
  }
  void renew(const blob::Request& /*request*/, const blob::Answer& answer, const std::string& used,
             std::function<void(Result<void>)> done) override {
    CHECK(answer.status == 401);
    if (used == fmt::format("Bearer {}", current.load())) {
      ++renewals;
      if (!stuck) ++current;
    }
    client_->post([done = std::move(done)] { done({}); }, 2ms);
  }
  std::atomic<int> current{1};
  std::atomic<int> renewals{0};
  bool stuck = false;

 private:
  std::shared_ptr<http::Client> client_;
  std::string ground_;
};

TEST_CASE("a token that expires in the middle is renewed, once for all") {
  std::atomic<int> good{2};
  std::atomic<int> served{0};
  FaultServer server({.size = kSize}, [&](const SeenRequest& seen) {
    if (seen.field("authorization") != fmt::format("Bearer {}", good.load())) {
      return Fault{.status = 401, .body_text = "expired"};
    }
    if (++served == 6) ++good;
    return Fault{.cut_at = 100'000};
  });
  const auto client = start_client();
  const auto tokens = std::make_shared<Tokens>(client, server.url(""));
  HttpBlob blob = blob_at(server.url());
  blob.authorizer = tokens;
  const auto origin = assume_blob(client, blob, info_of());
  std::vector<Sink> sinks(4);
  std::vector<std::unique_ptr<blob::Download>> downloads;
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    downloads.push_back(origin->start(ByteRange::of(i * kSize / 4, kSize / 4), sinks[i]));
  }
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    CHECK(sinks[i].wait());
    CHECK((sinks[i].received == server.bytes(i * kSize / 4, (i + 1) * kSize / 4)));
  }
  CHECK(tokens->renewals == 2);
}

TEST_CASE("a 401 that stays is final: after one renewal for each token") {
  FaultServer server({.size = kSize}, [](const SeenRequest&) { return Fault{.status = 401}; });
  const auto client = start_client();
  HttpBlob blob = blob_at(server.url());
  const auto nobody = open_blob(client, blob, {});
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().hint.find("--header") != std::string::npos);
  CHECK(nobody.error().hint.find("--authfile") != std::string::npos);
  CHECK(server.requests().size() == 1);

  const auto stuck = std::make_shared<Tokens>(client, server.url(""));
  stuck->stuck = true;
  blob.authorizer = stuck;
  REQUIRE_FALSE(open_blob(client, blob, {}));
  CHECK(stuck->renewals == 1);
  CHECK(server.requests().size() == 3);

  const auto tireless = std::make_shared<Tokens>(client, server.url(""));
  blob.authorizer = tireless;
  REQUIRE_FALSE(open_blob(client, blob, {}));
  CHECK(tireless->renewals <= 5);

  blob.authorizer = nullptr;
  blob.url.insert(7, "me:wrong@");
  const std::size_t before = server.requests().size();
  const auto refused = open_blob(client, blob, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().describe().find("wrong") == std::string::npos);
  CHECK(server.requests().size() == before + 1);
}

TEST_CASE("a renewal that is told of at once neither blocks nor goes on for ever") {
  struct Prompt final : blob::Authorizer {
    std::string sign(blob::Request& request) override {
      const std::string value = fmt::format("Bearer {}", renewals.load());
      request.fields.push_back({"Authorization", value});
      return value;
    }
    void renew(const blob::Request& /*request*/, const blob::Answer& /*answer*/,
               const std::string& /*used*/, std::function<void(Result<void>)> done) override {
      ++renewals;
      done({});
    }
    std::atomic<int> renewals{0};
  };
  FaultServer server({.size = kSize}, [](const SeenRequest& seen) {
    return seen.field("authorization") == "Bearer 3" ? Fault() : Fault{.status = 401};
  });
  const auto client = start_client();
  HttpBlob blob = blob_at(server.url());
  const auto prompt = std::make_shared<Prompt>();
  blob.authorizer = prompt;
  REQUIRE(open_blob(client, blob, {}));
  CHECK(server.requests().size() == 4);
  ++prompt->renewals;  // past the one that is good
  REQUIRE_FALSE(open_blob(client, blob, {}));
  CHECK(server.requests().size() <= 10);
}

TEST_CASE("another host is asked for its own authorization") {
  FaultServer store({.size = kSize});
  FaultServer server({.size = kSize},
                     [&](const SeenRequest&) { return redirect_to(store.url("/x")); });
  const auto client = start_client();
  HttpBlob blob = blob_at(server.url());
  blob.authorizer = std::make_shared<Tokens>(client, server.url(""));
  REQUIRE(open_blob(client, blob, {}));
  CHECK(server.requests().at(0).field("authorization") == "Bearer 1");
  CHECK_FALSE(store.requests().at(0).has("authorization"));
}

}  // namespace
}  // namespace shunt::http_blob
