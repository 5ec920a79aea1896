// Guesses what a wrong word was meant to be.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace shunt::cli {

// Returns the word of `known` nearest to `word`, ignoring case: by changed, missing, extra or
// swapped letters, or because it is the only one with that beginning. Empty if none is near.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& known);

// Returns "; did you mean 'NEAREST'?", or an empty string.
[[nodiscard]] std::string suggestion(std::string_view word, const std::vector<std::string>& known);

// Returns "a, b or c".
[[nodiscard]] std::string alternatives(const std::vector<std::string>& words);

// Returns a check of an option's value, which says "it takes A, B or C, not 'WORD'" and the
// nearest.
[[nodiscard]] std::function<std::string(const std::string&)> one_of(std::vector<std::string> known);

}  // namespace shunt::cli
