// A disk that keeps only what was synced, and of the rest whatever it likes.
//
// WriteLog records every change that a run makes in one directory. From the record, state() makes
// what a crash after the n-th change may leave: of each file all that was synced, and of what came
// later any selection of 4 KiB pieces; of the names all up to the last sync of the directory, and
// of the later ones any first few. Range insertions are not known here: tests of those cut the
// power of a real file system.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "shunt/io/kernel.h"

namespace shunt::test {

class WriteLog final : public io::Kernel {
 public:
  using Bytes = std::vector<std::byte>;
  using Files = std::map<std::string, Bytes>;  // by path

  // `target` exists and holds `original`, both on disk.
  WriteLog(const std::string& target, Bytes original);

  [[nodiscard]] std::size_t changes() const { return changes_.size(); }
  // The write of that number, from 1, finds no space, once.
  unsigned full_at = 0;
  // The files after a crash behind the first `count` changes.
  [[nodiscard]] Files state(std::size_t count, std::mt19937& random) const;

  int open_at(int directory, const char* name, int flags, mode_t mode) override;
  ssize_t pwrite(int fd, const void* data, std::size_t size, off_t offset, int rwf_flags) override;
  int ftruncate(int fd, off_t size) override;
  int fallocate(int fd, int mode, off_t offset, off_t size) override;
  int fsync(int fd) override;
  int fdatasync(int fd) override;
  int rename_no_replace_at(int directory, const char* from, const char* to) override;
  int unlink_at(int directory, const char* name) override;

 private:
  struct Change {
    enum class Kind { kCreate, kRename, kUnlink, kSyncNames, kWrite, kResize, kZero, kSync } kind;
    ino_t inode = 0;
    std::string path;        // of names
    std::string to;          // of kRename
    std::uint64_t at = 0;    // of kWrite and kZero
    std::uint64_t size = 0;  // of kResize (to which) and kZero
    Bytes data;
    [[nodiscard]] bool is_name() const { return kind <= Kind::kUnlink; }
  };

  void note_sync(int fd);
  static void apply(const Change& change, Bytes& content);

  std::map<std::string, ino_t> names_;
  std::map<ino_t, Bytes> contents_;
  std::mutex syncing_;  // syncs may come from several threads
  std::vector<Change> changes_;
  unsigned writes_ = 0;
};

}  // namespace shunt::test
