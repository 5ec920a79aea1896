// What most sources read of the standard library and of fmt, read once (SHUNT_PRECOMPILE). No
// source may rely on it: the presets without it do not have it.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <tl/expected.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>
