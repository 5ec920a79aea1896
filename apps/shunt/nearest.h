// What a word that is wrong was probably meant to be.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace shunt::cli {

// The one of `known` that is nearest to `word`: by letters that are changed, missing, too many or
// swapped, in case or not; or the only one that begins so. Empty where none is near.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& known);

// "; did you mean 'NEAREST'?", or nothing.
[[nodiscard]] std::string suggestion(std::string_view word, const std::vector<std::string>& known);

// "a, b or c".
[[nodiscard]] std::string alternatives(const std::vector<std::string>& words);

// A check of an option's value: "it takes A, B or C, not 'WORD'", with the nearest.
[[nodiscard]] std::function<std::string(const std::string&)> one_of(std::vector<std::string> known);

}  // namespace shunt::cli
