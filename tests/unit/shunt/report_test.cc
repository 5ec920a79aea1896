// What a command found out, as text, as JSON, and as anything else that a renderer makes of it.
#include <nlohmann/json.hpp>

#include "report/description.h"
#include "report/json.h"
#include "report/text.h"
#include "support/catch.h"

namespace shunt::cli {
namespace {

Description example() {
  Description all("film.mp4");
  all.add({.name = "status", .value = "moved", .phrase = "moved ({strategy})"});
  all.add({.name = "strategy", .value = "insert"});
  all.add({.name = "moov_size",
           .value = 12288,
           .unit = Unit::kBytes,
           .phrase = "moov of {}",
           .label = "new moov",
           .row = "{} ({moov_size:n} bytes)"});
  all.add({.name = "retries", .value = 0, .phrase = "{} retries"});
  all.add({.name = "bytes_written",
           .value = 0,
           .unit = Unit::kBytes,
           .phrase = "{} written",
           .always = true,
           .label = "writes"});
  all.add({.name = ".note", .value = "for people", .phrase = "{}"});
  all.add({.name = "verified", .value = true, .phrase = "verified"});
  all.add({.name = "seconds", .value = 0.25, .unit = Unit::kMilliseconds, .phrase = "{}"});
  all.add_text("digest", "").phrase = "{}";
  return all;
}

// A renderer that the program does not have: "name=value", one a line.
std::string toy(const Description& description) {
  std::string text;
  for (const Field& field : description.fields()) {
    text += field.name + '=' + shown(field.value, field.unit) + '\n';
  }
  return text;
}

TEST_CASE("the line for people has the phrases of what there is to say") {
  CHECK(line_for(example()) ==
        "film.mp4: moved (insert), moov of 12.0 KiB, 0 B written, for people, verified, 0.250 s");
}

TEST_CASE("a line without a subject begins with its first phrase") {
  Description all;
  all.add({.name = "bytes_out", .value = 5, .unit = Unit::kBytes, .phrase = "{} out"});
  CHECK(line_for(all) == "5 B out");
}

TEST_CASE("rows have their texts one below the other") {
  CHECK(rows_for(example()) ==
        std::vector<std::string>{"new moov   12.0 KiB (12288 bytes)", "writes     0 B"});
}

TEST_CASE("JSON has the values, and nothing that is for people alone") {
  CHECK(to_json(example()).dump() ==
        R"({"status":"moved","strategy":"insert","moov_size":12288,"retries":0,)"
        R"("bytes_written":0,"verified":true,"seconds":0.25,"digest":null})");
}

TEST_CASE("a document begins with the version of its schema, and has its inputs as a list") {
  Document document{.list = "files", .inputs = {Description("a"), Description("b")}};
  document.inputs[0].add({.name = "path", .value = "a"});
  document.whole.add({.name = "error", .value = nullptr});
  CHECK(to_json(document).dump() ==
        R"({"schema_version":1,"files":[{"path":"a"},{}],"error":null})");
}

TEST_CASE("braces in a value are no placeholders") {
  Description all("{retries}");
  all.add({.name = "path", .value = "{}", .phrase = "in {}"});
  CHECK(line_for(all) == "{retries}: in {}");
}

TEST_CASE("a renderer needs nothing but the description") {
  Description all;
  all.add({.name = "size", .value = 2048, .unit = Unit::kBytes});
  all.add({.name = "seconds", .value = 1.5, .unit = Unit::kSeconds});
  all.add({.name = "front", .value = nullptr});
  CHECK(toy(all) == "size=2.00 KiB\nseconds=1.5 s\nfront=\n");
}

}  // namespace
}  // namespace shunt::cli
