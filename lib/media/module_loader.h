// Finds and loads shunt-media.so, the module that links libavformat.
#pragma once

#include <string>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/media/module_abi.h"

namespace shunt::media {

// Returns the module. The first call loads it; it stays loaded, and every caller gets the same.
// Thread-safe. Returns kFailed with a hint how to install it; that result is kept too.
[[nodiscard]] Result<const ShuntMediaModule*> load_module();

// Makes load_module look in `folder` first; for programs that have the module in their own place.
// Called before the first load_module, by one thread.
void look_in(std::string folder);

// Returns where load_module looks, in order: the folder of look_in(), next to the running program
// (PREFIX/bin, PREFIX/lib/shunt), and where the library was built to be installed.
[[nodiscard]] std::vector<std::string> module_paths();

// Loads the first of `paths` that is a module of our ABI version. The error says what is wrong with
// the first existing file, or lists the paths if there is none.
[[nodiscard]] Result<const ShuntMediaModule*> load_module_from(
    const std::vector<std::string>& paths);

}  // namespace shunt::media
