// Which files in a directory may be the journal of a target: their names and owners.
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

// The names that a journal of one target may have in its directory. It looks at names and owners
// only; whoever opens the file checks the content.
//
// There is one usual name. In a directory with the sticky bit, a user who could never have edited
// the target may have placed a file of that name, which others cannot remove. Such a file is passed
// over; the owner of the target, root and the current user have one more name each. If that name is
// taken in the same way, names with random digits at the end are used. If further users may write
// to the target, the target has a mark as long as it has a journal (journal_mark.h), and the file
// that the mark names is never passed over.
class JournalNames {
 public:
  // `directory` is not owned, outlives the names and contains `target` under `name`. `target` is
  // open at least for reading.
  static Result<JournalNames> of(const files::Directory& directory, const std::string& name,
                                 const io::File& target);

  // Returns the first name under which there is a file that may be the target's journal.
  [[nodiscard]] Result<std::optional<std::string>> taken() const;
  // Returns the name for a new journal of the current (effective) user. Returns kLocalIo if it is
  // taken.
  [[nodiscard]] Result<std::string> free_name() const;
  // Returns true if the target needs a mark as long as it has a journal.
  [[nodiscard]] bool takes_mark() const { return takes_mark_; }

 private:
  JournalNames(const files::Directory& directory, const std::string& target);

  [[nodiscard]] bool concerns_target(const struct stat& found) const;
  // Returns true if there is a file of this name that may be the target's journal.
  [[nodiscard]] Result<bool> is_taken(const std::string& name) const;
  // Returns all names in the directory, to look for those with random digits; none if there can be
  // no such names.
  [[nodiscard]] Result<std::vector<std::string>> all_names() const;

  const files::Directory& directory_;
  std::string target_;
  std::string usual_;
  // Names for the owner, root and the current user, as far as they can occur.
  std::vector<std::pair<uid_t, std::string>> others_;
  uid_t owner_ = 0;
  bool any_concerns_ = false;  // a journal of any user may be the target's
  bool takes_mark_ = false;
  std::string marked_;  // name that the mark holds; empty if there is no mark
};

// The names beside `name` of a finished journal, and of one that is still being written.
[[nodiscard]] std::string usual_journal_name(const std::string& name);
[[nodiscard]] std::string unfinished_journal_name(const std::string& name);

}  // namespace shunt::in_place
