// A C library that is loaded when it is first needed, so that programs start without it.
#pragma once

#include <string>

#include "shunt/base/result.h"

namespace shunt {

// Stays loaded until the process ends. For one thread; what it has found is for all.
class SharedLibrary {
 public:
  // Loads the library of that name, which the Debian package `package` has. The error says so.
  static Result<SharedLibrary> load(const char* soname, const char* package);

  // Sets `function`, unless one has been missing before.
  template <typename Function>
  void find(Function*& function, const char* name) {
    function = reinterpret_cast<Function*>(symbol(name));
  }
  // kFailed when one was missing.
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
