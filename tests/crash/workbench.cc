#include "workbench.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "support/recipes.h"

namespace shunt::test {
namespace {

[[noreturn]] void die(const std::string& what) {
  std::perror(what.c_str());
  std::exit(2);
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  struct Close {
    void operator()(DIR* listing) const { ::closedir(listing); }
  };
  const std::unique_ptr<DIR, Close> listing(::opendir(directory.c_str()));
  if (listing == nullptr) die(directory);
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != ".." && name != "lost+found") names.push_back(name);
  }
  return names;
}

constexpr time_t kLongAgo = 1'000'000'000;

Bytes recipe(const char* name) {
  return find_recipe(name)->build().to_vector();
}

// Media of some size behind an ftyp, so that a shift takes many steps.
Bytes long_movie() {
  const std::vector<Track> tracks = {varying_track(1, 40), fixed_track(2, 40, 16, 256)};
  return cat(ftyp(), box("mdat", interleave(tracks)), moov(tracks)).to_vector();
}

// The same with a moov in the middle, so that the old one is marked and not cut off.
Bytes movie_with_tail() {
  const std::vector<Track> tracks = {varying_track(1, 20), fixed_track(2, 20, 16, 256)};
  return cat(ftyp(), box("mdat", interleave(tracks)), moov(tracks), box("uuid", noise(7, 7, 5000)),
             noise(8, 8, 77))
      .to_vector();
}

// moov is in front, and so is some room, but not enough.
Bytes movie_in_front() {
  const std::vector<Track> tracks = {varying_track(1, 30), fixed_track(2, 30, 16, 256)};
  return cat(ftyp(), moov(tracks), box("free", noise(9, 9, 100)), box("mdat", interleave(tracks)))
      .to_vector();
}

}  // namespace

Bytes read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) die(path);
  struct stat status {};
  if (::fstat(fd, &status) != 0) die(path);
  Bytes bytes(static_cast<std::size_t>(status.st_size));
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got =
        ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got <= 0) die(path);
    done += static_cast<std::size_t>(got);
  }
  ::close(fd);
  return bytes;
}

void write_file(const std::string& path, const Bytes& bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) die(path);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t put = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (put <= 0) die(path);
    done += static_cast<std::size_t>(put);
  }
  if (::fsync(fd) != 0 || ::close(fd) != 0) die(path);
}

std::vector<Fixture> fixtures() {
  using faststart::strategy_named;
  const Bytes movie = long_movie();
  const Bytes tail = movie_with_tail();
  return {
      {"reserve", strategy_named("reserve"), recipe("reserve-roomy")},
      {"reserve-dirty", strategy_named("reserve"), recipe("reserve-dirty")},
      {"insert", strategy_named("insert"), movie},
      {"insert-tail", strategy_named("insert"), tail},
      {"insert-fields", strategy_named("insert"), recipe("tfhd-base")},
      {"insert-cmov", strategy_named("insert"), recipe("cmov")},
      {"insert-room", strategy_named("insert"), movie_in_front(), 2000},
      {"shift-room", strategy_named("shift"), movie_in_front(), 2000},
      {"shift", strategy_named("shift"), movie},
      {"shift-tail", strategy_named("shift"), tail},
      {"shift-times", strategy_named("shift"), movie_in_front(), 2000, true},
      {"insert-times", strategy_named("insert"), movie, 0, true},
      {"shift-fields", strategy_named("shift"), recipe("tfhd-base")},
      {"copy", strategy_named("copy"), movie},
      {"reflink", strategy_named("reflink"), movie},
  };
}

void Workbench::reset(const Bytes& original) const {
  for (const std::string& name : names_in(directory_)) {
    if (::unlink((directory_ + "/" + name).c_str()) != 0) die(name);
  }
  write_file(target(), original);
  const int file = ::open(target().c_str(), O_WRONLY | O_CLOEXEC);
  const struct timespec times[2] = {{.tv_sec = kLongAgo, .tv_nsec = 0},
                                    {.tv_sec = kLongAgo, .tv_nsec = 0}};
  if (file < 0 || ::futimens(file, times) != 0 || ::fsync(file) != 0) die(target());
  ::close(file);
  const int fd = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || ::fsync(fd) != 0) die(directory_);
  ::close(fd);
}

std::vector<std::string> Workbench::leftovers() const {
  std::vector<std::string> names = names_in(directory_);
  std::erase(names, "movie.mp4");
  return names;
}

faststart::Report Workbench::run(const Fixture& fixture) const {
  faststart::Options options;
  options.strategy = fixture.strategy;
  options.padding = fixture.padding;
  options.preserve_times = fixture.preserve_times;
  return faststart::run_in_place(target(), options);
}

bool Workbench::is_as_old() const {
  struct stat status {};
  if (::stat(target().c_str(), &status) != 0) die(target());
  return status.st_mtim.tv_sec == kLongAgo && status.st_mtim.tv_nsec == 0;
}

faststart::Report Workbench::recover(const Fixture& fixture) const {
  faststart::Options options;
  options.preserve_times = fixture.preserve_times;
  options.recover_only = true;
  return faststart::run_in_place(target(), options);
}

Content content_of(const std::string& path, const Bytes& original, const Bytes& result) {
  const Bytes now = read_file(path);
  if (now == original) return Content::kOriginal;
  return now == result ? Content::kResult : Content::kNeither;
}

}  // namespace shunt::test
