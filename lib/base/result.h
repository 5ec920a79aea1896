// Result<T>: a value or an Error. The library returns these; exceptions are for bugs and
// allocation.
#pragma once

#include <tl/expected.hpp>

#include <utility>

#include "shunt/base/error.h"

namespace shunt {

template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(Error error) : tl::expected<T, Error>(tl::unexpect, std::move(error)) {}
};

template <>
class [[nodiscard]] Result<void> : public tl::expected<void, Error> {
 public:
  using tl::expected<void, Error>::expected;
  Result(Error error) : tl::expected<void, Error>(tl::unexpect, std::move(error)) {}
};

}  // namespace shunt

// A declared name or a declaration cannot be put in parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)

#define SHUNT_CONCAT_INNER(a, b) a##b
#define SHUNT_CONCAT(a, b) SHUNT_CONCAT_INNER(a, b)

// Returns early with the error of `expression`, a Result of any type.
#define SHUNT_TRY(expression) SHUNT_TRY_INNER(SHUNT_CONCAT(shunt_result_, __COUNTER__), expression)
#define SHUNT_TRY_INNER(name, expression)              \
  do {                                                 \
    if (auto name = (expression); !name.has_value()) { \
      return std::move(name).error();                  \
    }                                                  \
  } while (false)

// Declares or assigns `declaration` from the value of `expression`, or returns early with its
// error. Several statements: within an if, it needs braces.
//   SHUNT_ASSIGN(const auto file, File::open(path));
#define SHUNT_ASSIGN(declaration, expression) \
  SHUNT_ASSIGN_INNER(SHUNT_CONCAT(shunt_value_, __COUNTER__), declaration, expression)
#define SHUNT_ASSIGN_INNER(name, declaration, expression) \
  auto name = (expression);                               \
  if (!name.has_value()) return std::move(name).error();  \
  declaration = std::move(*name)

// NOLINTEND(bugprone-macro-parentheses)
