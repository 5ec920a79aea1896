// The mark on a target that has a journal: an extended attribute with the journal's name.
//
// In a directory with the sticky bit anybody may have a file of a journal's name, which nobody else
// can remove and perhaps not even read. Whether it is the journal of somebody who may write to the
// target too does not show by its looks. The mark shows it, as only those may set it.
#pragma once

#include <string>

#include "shunt/base/result.h"
#include "shunt/io/file.h"

namespace shunt::in_place {

struct JournalMark {
  bool tells = false;  // false: this file system keeps no such marks
  std::string name;    // of a file beside the target; empty without a mark
};

[[nodiscard]] JournalMark mark_of(const io::File& target);
// Durable on return.
Result<void> set_mark(const io::File& target, const std::string& name);
// Takes the mark away, if there is one, when the journal is gone. One that stays names nothing, and
// the next edit takes it away.
void clear_mark(const io::File& target);

}  // namespace shunt::in_place
