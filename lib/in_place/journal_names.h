// Which files in a directory may be the journal of a target: their names, and whose they may be.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shunt/base/result.h"
#include "shunt/files/directory.h"
#include "shunt/io/file.h"

namespace shunt::in_place {

// The names that a journal of one target may have in its directory. Looks at names only; whether
// what is there is believed is for whoever opens it.
//
// There is one ordinary name. In a directory where names belong to their owners (the sticky bit)
// somebody who could never have edited the target may have a file of that name, which cannot be
// removed: it is passed over, and the owner of the target, root and the user at work have a name
// each besides. Where that is taken in the same way, they have as many as it takes, with random
// digits behind it. Where more users may write to the target, it bears a mark as long as it has a
// journal (journal_mark.h), and the one that the mark names is never passed over.
class JournalNames {
 public:
  // `directory`, not owned, holds `target`, open for reading at least, under `name`.
  static Result<JournalNames> of(const files::Directory& directory, const std::string& name,
                                 const io::File& target);

  // The first name that something has which may be the target's journal.
  [[nodiscard]] Result<std::optional<std::string>> taken() const;
  // The name for a new journal of the user that this process acts as. kLocalIo when it is taken.
  [[nodiscard]] Result<std::string> free_name() const;
  // Whether the target has to bear a mark as long as it has a journal.
  [[nodiscard]] bool takes_mark() const { return takes_mark_; }

 private:
  JournalNames(const files::Directory& directory, const std::string& target);

  [[nodiscard]] bool concerns_target(const struct stat& found) const;
  // Whether the target's journal may have this name, by what has it.
  [[nodiscard]] Result<bool> is_taken(const std::string& name) const;
  // All names in the directory, among which those with random digits are; none where there cannot
  // be such.
  [[nodiscard]] Result<std::vector<std::string>> all_names() const;

  const files::Directory& directory_;
  std::string target_;
  std::string usual_;
  // Of the owner, of root and of this user, where there may be such.
  std::vector<std::pair<uid_t, std::string>> others_;
  uid_t owner_ = 0;
  bool any_concerns_ = false;  // it may be of whoever put it there
  bool takes_mark_ = false;
  std::string marked_;  // what the mark names; empty without one
};

// The companions of `name` that a journal is and becomes one from.
[[nodiscard]] std::string usual_journal_name(const std::string& name);
[[nodiscard]] std::string unfinished_journal_name(const std::string& name);

}  // namespace shunt::in_place
