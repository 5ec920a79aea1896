// A C library loaded on first use, so that programs start faster.
#pragma once

#include <string>

#include "shunt/base/result.h"

namespace shunt {

// Stays loaded until the process ends. Used by one thread; the functions found are for all.
class SharedLibrary {
 public:
  // Loads the library `soname`. The error names the Debian package `package` that contains it.
  static Result<SharedLibrary> load(const char* soname, const char* package);

  // Sets `function`; does nothing once a function has been missing.
  template <typename Function>
  void find(Function*& function, const char* name) {
    function = reinterpret_cast<Function*>(symbol(name));
  }
  // Returns kFailed if a function was missing.
  [[nodiscard]] Result<void> found_all() const;
  [[nodiscard]] Error error(std::string reason) const;

 private:
  SharedLibrary(const char* soname, const char* package) : soname_(soname), package_(package) {}
  void* symbol(const char* name);

  const char* soname_;
  const char* package_;
  void* handle_ = nullptr;
  const char* missing_ = nullptr;
};

}  // namespace shunt
