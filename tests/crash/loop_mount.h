// A small file system in an image file, whose power can be cut.
#pragma once

#include <string>

namespace shunt::test {

// Root only. Unmounted at the end of its life.
class LoopMount {
 public:
  // Makes a file system of `kind` ("ext4", "xfs", "btrfs") in `directory` and mounts it.
  LoopMount(const std::string& kind, const std::string& directory);
  ~LoopMount();
  LoopMount(const LoopMount&) = delete;
  LoopMount& operator=(const LoopMount&) = delete;

  [[nodiscard]] const std::string& mount_point() const { return mount_point_; }
  // Unmounts and mounts again, which replays the file system's log.
  void remount();
  // Whether mkfs for `kind` is installed and this process may mount.
  [[nodiscard]] static bool possible(const std::string& kind);

 private:
  void mount();
  void unmount();

  std::string image_;
  std::string mount_point_;
};

// Shuts the file system that holds `path` down without flushing its log: what was not synced is
// gone. With `keep_log`, its log is flushed first: metadata may then be newer than data.
void shut_down(const std::string& path, bool keep_log);

}  // namespace shunt::test
