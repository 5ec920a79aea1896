// The directory that a crash test works in: a file to edit, its two good states, and what is left
// around it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shunt/faststart/faststart.h"

namespace shunt::test {

using Bytes = std::vector<std::byte>;

Bytes read_file(const std::string& path);
void write_file(const std::string& path, const Bytes& bytes);

// How a movie is edited: which file, by which strategy.
struct Fixture {
  std::string_view name;
  const faststart::Strategy* strategy;
  Bytes original;
  std::uint64_t padding = 0;
  bool preserve_times = false;
};

// One for each thing that an in-place edit can do: cut the tail or mark it, patch fields outside
// moov, keep a dirty reserve aside, and each strategy.
std::vector<Fixture> fixtures();

// A directory of its own in which one file is edited again and again.
class Workbench {
 public:
  explicit Workbench(std::string directory) : directory_(std::move(directory)) {}

  [[nodiscard]] std::string target() const { return directory_ + "/movie.mp4"; }
  [[nodiscard]] const std::string& directory() const { return directory_; }

  // Empties the directory and puts `original` there, modified long ago, on disk.
  void reset(const Bytes& original) const;
  // Names in the directory besides the target.
  [[nodiscard]] std::vector<std::string> leftovers() const;

  // Runs faststart on the target in this process.
  [[nodiscard]] faststart::Report run(const Fixture& fixture) const;
  [[nodiscard]] faststart::Report recover(const Fixture& fixture) const;
  // Whether the target has the time of modification that reset() gave it.
  [[nodiscard]] bool is_as_old() const;

 private:
  std::string directory_;
};

// What is in the target: which of the two good states, or neither.
enum class Content { kOriginal, kResult, kNeither };
[[nodiscard]] Content content_of(const std::string& path, const Bytes& original,
                                 const Bytes& result);

}  // namespace shunt::test
