// What the name of an output stands for.
#include "shunt/files/output_name.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "shunt/io/fd.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace shunt::files {
namespace {

namespace fs = std::filesystem;

// One of each, and symbolic links to them.
struct Folder {
  test::TempDir dir;

  Folder() {
    std::ofstream(dir.file("file")) << "content";
    fs::create_directory(dir.file("folder"));
    REQUIRE(::mkfifo(dir.file("fifo").c_str(), 0600) == 0);
    for (const char* const name : {"file", "folder", "fifo", "nothing"}) {
      fs::create_symlink(name, dir.file(std::string("to-") + name));
    }
    fs::create_symlink("to-file", dir.file("to-to-file"));
  }
  [[nodiscard]] int refusal(const std::string& name, IfThere if_there) const {
    const auto found = name_for_new_file(dir.file(name), if_there);
    return found ? 0 : found.error().system_errno;
  }
  [[nodiscard]] std::string replaced_by(const std::string& name) const {
    return name_for_new_file(dir.file(name), IfThere::kReplace).value();
  }
};

TEST_CASE_METHOD(Folder, "a FIFO or a device is a stream, by whatever name; a file is none") {
  for (const char* const name : {"fifo", "to-fifo"}) CHECK(names_stream(dir.file(name)));
  CHECK(names_stream("/dev/null"));
  for (const char* const name :
       {"file", "folder", "to-file", "to-folder", "to-nothing", "nothing"}) {
    CAPTURE(name);
    CHECK_FALSE(names_stream(dir.file(name)));
  }
}

TEST_CASE_METHOD(Folder, "an open descriptor is a stream, whatever it is open on") {
  CHECK(names_stream("-"));
  CHECK(output_descriptor("-") == 1);
  CHECK(is_standard_output("-"));
  CHECK(is_standard_output("/dev/stdout"));
  const io::Fd file(::open(dir.file("file").c_str(), O_WRONLY | O_CLOEXEC));
  const std::string name = "/dev/fd/" + std::to_string(file.get());
  CHECK(output_descriptor(name) == file.get());
  CHECK(names_stream(name));
  CHECK_FALSE(is_standard_output(name));
  CHECK_FALSE(output_descriptor(dir.file("file")));
}

TEST_CASE_METHOD(Folder, "a stream is never the place of a new file") {
  CHECK(refusal("fifo", IfThere::kReplace) == EEXIST);
  CHECK(refusal("to-fifo", IfThere::kReplace) == EEXIST);
}

TEST_CASE_METHOD(Folder, "a new file takes the place of nothing") {
  CHECK(name_for_new_file(dir.file("nothing"), IfThere::kFail).value() == dir.file("nothing"));
  for (const char* const name : {"file", "to-file", "to-to-file", "to-nothing"}) {
    CAPTURE(name);
    CHECK(refusal(name, IfThere::kFail) == EEXIST);
  }
}

TEST_CASE_METHOD(Folder,
                 "what is replaced is the file that a symbolic link leads to, not the link") {
  const std::string file = fs::canonical(dir.file("file"));
  for (const char* const name : {"file", "to-file", "to-to-file"}) {
    CAPTURE(name);
    CHECK(replaced_by(name) == file);
  }
  CHECK(replaced_by("nothing") == dir.file("nothing"));
  CHECK(replaced_by("to-nothing") == dir.file("to-nothing"));
}

TEST_CASE_METHOD(Folder, "a directory is never replaced") {
  const auto if_there = GENERATE(IfThere::kFail, IfThere::kReplace);
  CHECK(refusal("folder", if_there) == EISDIR);
  CHECK(refusal("to-folder", if_there) == EISDIR);
}

}  // namespace
}  // namespace shunt::files
