#include "shunt/media/module_loader.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

namespace shunt::media {
namespace {

constexpr const char* kFileName = "shunt-media.so";

Error not_loaded(const std::string& path, std::string reason) {
  Error error;
  error.code = ErrorCode::kFailed;
  error.path = path;
  error.operation = "load the media module";
  error.reason = std::move(reason);
  error.hint =
      fmt::format("install shunt's media module ({}) and the FFmpeg libraries it needs", kFileName);
  return error;
}

std::string last_dl_error() {
  const char* text = dlerror();
  return text != nullptr ? text : "unknown reason";
}

Result<const ShuntMediaModule*> load_one(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return not_loaded(path, last_dl_error());
  // The handle stays open from here on, even if the module is rejected: FFmpeg's libraries do not
  // support unloading.
  const auto entry = reinterpret_cast<ShuntMediaEntry>(dlsym(handle, SHUNT_MEDIA_ENTRY));
  if (entry == nullptr) return not_loaded(path, "not a media module of shunt");
  const ShuntMediaModule* module = entry();
  if (module->abi_version != SHUNT_MEDIA_ABI_VERSION) {
    return not_loaded(path, fmt::format("it has interface version {}, this program needs {}",
                                        module->abi_version, SHUNT_MEDIA_ABI_VERSION));
  }
  return module;
}

std::string& told_folder() {
  static std::string folder;
  return folder;
}

}  // namespace

void look_in(std::string folder) {
  told_folder() = std::move(folder);
}

std::vector<std::string> module_paths() {
  std::vector<std::string> paths;
  if (!told_folder().empty()) paths.push_back(fmt::format("{}/{}", told_folder(), kFileName));
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (!failed) {
    const auto root = program.parent_path().parent_path();
    paths.push_back((root / "lib" / "shunt" / kFileName).string());
  }
#ifdef SHUNT_MODULE_DIR
  paths.push_back(fmt::format("{}/{}", SHUNT_MODULE_DIR, kFileName));
#endif
  return paths;
}

Result<const ShuntMediaModule*> load_module_from(const std::vector<std::string>& paths) {
  std::optional<Error> first_error;
  for (const std::string& path : paths) {
    if (access(path.c_str(), F_OK) != 0) continue;
    auto module = load_one(path);
    if (module) return module;
    if (!first_error) first_error = std::move(module).error();
  }
  if (first_error) return *std::move(first_error);
  return not_loaded("", fmt::format("not found ({})", fmt::join(paths, ", ")));
}

Result<const ShuntMediaModule*> load_module() {
  static const Result<const ShuntMediaModule*> module = load_module_from(module_paths());
  return module;
}

}  // namespace shunt::media
