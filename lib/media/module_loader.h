// Finds and loads shunt-media.so, the module that links libavformat.
#pragma once

#include <string>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/media/module_abi.h"

namespace shunt::media {

// The module: loaded by the first call, kept until the process ends, the same for every caller. Any
// thread may call. Fails with kFailed and a hint how to install it; that answer too is kept.
[[nodiscard]] Result<const ShuntMediaModule*> load_module();

// Has load_module look in `folder` first: for programs that use the library from a place of its
// own. Called before the first load_module, by one thread.
void look_in(std::string folder);

// Where load_module looks, in order: where look_in() says, next to the running program
// (PREFIX/bin, PREFIX/lib/shunt), where the library was to be installed when it was built.
[[nodiscard]] std::vector<std::string> module_paths();

// Loads the first of `paths` that is a module of our ABI version. The error names what is wrong
// with the first file that is there, or the places where none was.
[[nodiscard]] Result<const ShuntMediaModule*> load_module_from(
    const std::vector<std::string>& paths);

}  // namespace shunt::media
