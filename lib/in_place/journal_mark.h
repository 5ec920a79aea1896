// The mark on a target that has a journal: an extended attribute that holds the journal's name.
//
// In a directory with the sticky bit, any user may place a file with a journal's name there; others
// cannot remove it, and perhaps not read it. The file itself does not show whether it comes from a
// user who may write to the target. The mark does: only such users can set it.
#pragma once

#include <string>

#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::in_place {

struct JournalMark {
  bool tells = false;  // false: this file system keeps no such marks
  std::string name;    // of a file beside the target; empty if there is no mark
};

// Reads the mark of `target`.
[[nodiscard]] JournalMark mark_of(const io::File& target);
// Sets the mark. Durable on return.
Result<void> set_mark(const io::File& target, const std::string& name);
// Removes the mark, if there is one, after the journal is gone. If that fails, the mark names no
// file and the next edit removes it.
void clear_mark(const io::File& target);

}  // namespace shunt::in_place
