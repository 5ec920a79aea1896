// The generated test set: every file that mp4gen can write, by name.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "support/mp4_builder.h"

namespace shunt::test {

// What faststart should do with a file.
enum class Expect { kMove, kAlready, kRefuse };

struct Recipe {
  std::string_view name;
  Expect expect;
  std::string_view exercises;
  std::function<Blob()> build;
};

[[nodiscard]] const std::vector<Recipe>& recipes();
[[nodiscard]] const Recipe* find_recipe(std::string_view name);  // nullptr: no such name

// By theme; recipes() joins them.
[[nodiscard]] std::vector<Recipe> top_level_recipes();
[[nodiscard]] std::vector<Recipe> trailer_recipes();
[[nodiscard]] std::vector<Recipe> box_type_recipes();
[[nodiscard]] std::vector<Recipe> torn_recipes();
[[nodiscard]] std::vector<Recipe> reserve_recipes();
[[nodiscard]] std::vector<Recipe> track_recipes();
[[nodiscard]] std::vector<Recipe> item_recipes();
[[nodiscard]] std::vector<Recipe> fragment_recipes();
[[nodiscard]] std::vector<Recipe> vendor_recipes();
[[nodiscard]] std::vector<Recipe> four_gib_recipes();
[[nodiscard]] std::vector<Recipe> hostile_recipes();

// "huge-moov:N": a moov of about N MiB behind a sparse mdat; half of it a co64, half an stco table.
// Streamed, since it may be larger than memory.
void write_huge_moov(const std::string& path, std::uint64_t mebibytes);

// Two tracks that suit most recipes: fixed-size and varying samples, interleaved.
[[nodiscard]] std::vector<Track> two_tracks(std::uint32_t chunks = 8);

}  // namespace shunt::test
