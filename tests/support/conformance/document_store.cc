#include "support/conformance/document_store.h"

#include <optional>
#include <string>

#include "shunt/blob/digest.h"
#include "support/catch.h"

namespace shunt::test {

void check_document_store(const std::function<std::shared_ptr<blob::DocumentStore>()>& open) {
  const std::string text("{\"a\":\0\xff}\n", 10);
  const std::string digest = blob::sha256_digest(text);
  const std::string large(100'000, 'x');
  const std::string other = blob::sha256_digest(large);
  const auto store = open();
  CHECK(store->find_document(digest) == std::nullopt);
  CHECK(store->find_tag("host/repo:1") == std::nullopt);

  store->keep_document(digest, text);
  store->keep_document(other, large);
  store->keep_document(digest, text);
  store->keep_document(blob::sha256_digest(""), "");
  store->keep_tag("host/repo:1", digest);
  store->keep_tag("host/repo:2", digest);
  store->keep_tag("host/repo:2", other);
  for (const auto& now : {store, open()}) {
    CHECK(now->find_document(digest) == text);
    CHECK(now->find_document(other) == large);
    CHECK(now->find_document(blob::sha256_digest("")) == "");
    CHECK(now->find_document(blob::sha256_digest("none")) == std::nullopt);
    CHECK(now->find_tag("host/repo:1") == digest);
    CHECK(now->find_tag("host/repo:2") == other);
    CHECK(now->find_tag("host/repo:3") == std::nullopt);
    CHECK(now->find_tag(digest) == std::nullopt);
  }
}

}  // namespace shunt::test
