#include <rapidcheck.h>

#include "shunt/blob/digest.h"
#include "shunt/oci/image.h"
#include "support/catch.h"

namespace shunt::oci {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

struct Row {
  std::string text, host, repository, tag, digest, written;
};

TEST_CASE("references to registries are read as docker and skopeo read them") {
  const std::string d = kDigest;
  const auto row = GENERATE_COPY(values<Row>({
      {"debian", "docker.io", "library/debian", "latest", "", "docker.io/library/debian:latest"},
      {"debian:12", "docker.io", "library/debian", "12", "", "docker.io/library/debian:12"},
      {"me/app", "docker.io", "me/app", "latest", "", "docker.io/me/app:latest"},
      {"docker.io/x", "docker.io", "library/x", "latest", "", "docker.io/library/x:latest"},
      {"index.docker.io/x", "docker.io", "library/x", "latest", "", "docker.io/library/x:latest"},
      {"quay.io/a/b/c:v1.2_3-x", "quay.io", "a/b/c", "v1.2_3-x", "", "quay.io/a/b/c:v1.2_3-x"},
      {"localhost/x", "localhost", "x", "latest", "", "localhost/x:latest"},
      {"localhost:5000", "docker.io", "library/localhost", "5000", "",
       "docker.io/library/localhost:5000"},
      {"localhost:5000/x:y", "localhost:5000", "x", "y", "", "localhost:5000/x:y"},
      {"127.0.0.1:80/x", "127.0.0.1:80", "x", "latest", "", "127.0.0.1:80/x:latest"},
      {"[::1]:5000/x/y", "[::1]:5000", "x/y", "latest", "", "[::1]:5000/x/y:latest"},
      {"[fe80::AB]/x", "[fe80::ab]", "x", "latest", "", "[fe80::ab]/x:latest"},
      {"Reg.Example.COM/x", "reg.example.com", "x", "latest", "", "reg.example.com/x:latest"},
      {"host:1/a__b/c---d.e", "host:1", "a__b/c---d.e", "latest", "", "host:1/a__b/c---d.e:latest"},
      {"debian@" + d, "docker.io", "library/debian", "", d, "docker.io/library/debian@" + d},
      {"r.io:1/x:t@" + d, "r.io:1", "x", "", d, "r.io:1/x@" + d},
  }));
  const auto reference = parse_image_reference("docker://" + row.text);
  INFO(row.text);
  REQUIRE(reference);
  CHECK(reference->kind == ImageReference::Kind::kRegistry);
  CHECK(reference->host == row.host);
  CHECK(reference->repository == row.repository);
  CHECK(reference->tag == row.tag);
  CHECK(reference->digest == row.digest);
  CHECK(reference->to_string() == "docker://" + row.written);
}

TEST_CASE("a user and a password in front of a host are refused, and not shown") {
  const std::string rest = GENERATE_COPY(values<std::string>(
      {"me:hunter2@r.io/x", "me:hunter2@r.io/x:tag", "me:hunter2@r.io/x@" + kDigest,
       "me:hunter2@r.io:5000/x", "me:hunter2@r.io", "me:hunter2@r.io:5000", "hunter2@r.io/x",
       "me:hunter2@hunter2@r.io/x", "me:hunter2/hunter2@r.io/x", "me:hunter2@sha256:r.io/x",
       "me:hunter2@", "me:hunter2@r.io/x@sha256:12"}));
  for (const std::string prefix : {"docker://", "DOCKER://", "docker-daemon:"}) {
    INFO(prefix + rest);
    const auto reference = parse_image_reference(prefix + rest);
    REQUIRE_FALSE(reference);
    CHECK(reference.error().code == ErrorCode::kUsage);
    CHECK(reference.error().describe().find("hunter2") == std::string::npos);
    CHECK(reference.error().hint.find("hunter2") == std::string::npos);
  }
  const auto told = parse_image_reference("docker://me:hunter2@r.io/x");
  CHECK(told.error().path == "docker://...@r.io/x");
  CHECK(told.error().hint.find("skopeo login") != std::string::npos);
  CHECK(show_image_reference("docker://me:hunter2@r.io/x") == "docker://...@r.io/x");
  CHECK(show_image_reference("oci:dir/a@b:c") == "oci:dir/a@b:c");
  // Nothing is left out of a digest that is none.
  CHECK(parse_image_reference("docker://debian@sha256:12").error().path ==
        "docker://debian@sha256:12");
}

TEST_CASE("what is no reference to a registry is turned down") {
  const std::string text = GENERATE_COPY(values<std::string>({
      "docker://",
      "docker:debian",
      "docker:///x",
      "debian",
      "",
      "docker://Debian",
      "docker://host:5000/",
      "docker://host:99999/x",
      "docker://host:0/x",
      "docker://host:/x",
      "docker://host:12a/x",
      "docker://-a.b/x",
      "docker://a..b/x",
      "docker://[::1/x",
      "docker://[::g]/x",
      "docker://[]:5000/x",
      "docker://a.b//x",
      "docker://a.b/../x",
      "docker://a.b/x/../../y",
      "docker://a.b/x?y=z",
      "docker://a.b/x#y",
      "docker://a.b/x%2fy",
      "docker://user@a.b/x",
      "docker://a.b/x y",
      "docker://a.b/x:",
      "docker://a.b/x:.y",
      "docker://a.b/x:-y",
      "docker://a.b/x:" + std::string(129, 't'),
      "docker://a.b/x@",
      "docker://a.b/x@sha256:abc",
      "docker://a.b/x@sha512:" + std::string(128, 'a'),
      "docker://a.b/x@sha256:" + std::string(64, 'A'),
      "docker://a.b/x@" + kDigest + "0",
      "docker://a.b/x:-@" + kDigest,
      "docker://a.b/a_-b",
      "docker://a.b/a___b",
      "docker://a.b/_a",
      "docker://a.b/a.",
      "docker://a.b/" + std::string(256, 'r'),
      "docker://" + std::string(248, 'r'),
      "docker://" + std::string(300, 'h') + ".io/x",
      "docker://a.b/x\n",
      std::string("docker://a.b/x\0y", 16),
  }));
  INFO(text);
  const auto reference = parse_image_reference(text);
  REQUIRE_FALSE(reference);
  CHECK(reference.error().code == ErrorCode::kUsage);
  CHECK_FALSE(reference.error().reason.empty());
  CHECK(reference.error().describe().find('\n') == std::string::npos);
}

TEST_CASE("a repository may be as long as it may be") {
  CHECK(parse_image_reference("docker://a.b/" + std::string(255, 'r')));
  CHECK(parse_image_reference("docker://a.b/x:" + std::string(128, 't')));
  const auto short_name = parse_image_reference("docker://" + std::string(247, 'r'));
  REQUIRE(short_name);
  CHECK(parse_image_reference(short_name->to_string()));
}

TEST_CASE("a directory may be as long as it may be") {
  const std::string longest = "oci:" + std::string(4093, 'd') + ":d";
  const auto layout = parse_image_reference(longest + ":tag@" + kDigest);
  REQUIRE(layout);
  CHECK(parse_image_reference(layout->to_string()));
  CHECK_FALSE(parse_image_reference(longest + "d:tag@" + kDigest));
}

TEST_CASE("references to layouts split behind the last component") {
  const std::string d = kDigest;
  struct LayoutRow {
    std::string text, directory, tag, digest;
  };
  const auto row = GENERATE_COPY(values<LayoutRow>({
      {"dir", "dir", "", ""},
      {"dir:tag", "dir", "tag", ""},
      {"/a/b:1.0", "/a/b", "1.0", ""},
      {"/a:b/c", "/a:b/c", "", ""},
      {"a:b/", "a:b/", "", ""},
      {"a:b:c", "a:b", "c", ""},
      {"my@dir:t", "my@dir", "t", ""},
      {"dir@" + d, "dir", "", d},
      {"dir:t@" + d, "dir", "", d},
      {"../x y", "../x y", "", ""},
  }));
  INFO(row.text);
  const auto reference = parse_image_reference("oci:" + row.text);
  REQUIRE(reference);
  CHECK(reference->kind == ImageReference::Kind::kLayout);
  CHECK(reference->directory == row.directory);
  CHECK(reference->tag == row.tag);
  CHECK(reference->digest == row.digest);
}

TEST_CASE("what is no reference to a layout is turned down") {
  const std::string text = GENERATE_COPY(
      values<std::string>({"oci:", "oci::tag", "oci:dir:", "oci:dir:a b", "oci:dir@sha256:12",
                           "oci:dir@sha512:" + std::string(128, 'a'), "oci:@" + kDigest,
                           "oci:" + std::string(5000, 'd'), std::string("oci:a\0b", 7)}));
  INFO(text);
  const auto reference = parse_image_reference(text);
  REQUIRE_FALSE(reference);
  CHECK(reference.error().code == ErrorCode::kUsage);
}

TEST_CASE("what is written of a reference reads as the same reference") {
  rc::check([] {
    const auto piece = rc::gen::weightedOneOf<std::string>({
        {4, rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab1.:/@_-[]A")))},
        {1, rc::gen::just(kDigest)},
    });
    const std::string text = *rc::gen::element<std::string>("docker://", "oci:") + *piece +
                             *rc::gen::element<std::string>("", "@", ":", "/") + *piece;
    const auto reference = parse_image_reference(text);
    RC_PRE(reference.has_value());
    const std::string written = reference->to_string();
    const auto again = parse_image_reference(written);
    RC_ASSERT(again.has_value());
    RC_ASSERT(again->to_string() == written);
    RC_ASSERT(again->tag == reference->tag);
    RC_ASSERT(again->digest == reference->digest);
    RC_ASSERT(again->repository == reference->repository);
    RC_ASSERT(again->host == reference->host);
  });
}

TEST_CASE("a digest is sha256 in lower-case digits") {
  CHECK(blob::is_digest(kDigest));
  CHECK(blob::is_digest("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
  CHECK_FALSE(blob::is_digest(""));
  CHECK_FALSE(blob::is_digest("sha256:"));
  CHECK_FALSE(blob::is_digest(kDigest.substr(1)));
  CHECK_FALSE(blob::is_digest(kDigest + "a"));
  CHECK_FALSE(blob::is_digest("sha256:" + std::string(63, 'a') + "g"));
  CHECK_FALSE(blob::is_digest("sha256:" + std::string(63, 'a') + "A"));
  CHECK_FALSE(blob::is_digest("sha256:../../" + std::string(58, 'a')));
}

}  // namespace
}  // namespace shunt::oci
