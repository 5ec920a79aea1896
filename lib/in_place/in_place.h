// Realises a Layout in place. The edit runs under a journal: at every instant, and after any crash,
// either the original or the result can be recovered.
//
//   1. save what will be overwritten; write the journal; make it durable
//   2. open the gap (range insertion or shift)                reserved room: nothing to do
//   3. write the front and the patches; sync
//   4. cut or mark the tail; sync
//   5. remove the journal, durably
//
// Until step 4 the bytes that the front is computed from are in the file: the edit can be finished
// or undone. From step 4 on it can only be finished. A failure before step 4 undoes the edit and
// returns the error. If the undo fails too, the journal stays and the error's hint says so.
#pragma once

#include <functional>
#include <string>

#include "shunt/base/context.h"
#include "shunt/base/result.h"
#include "shunt/in_place/edit.h"
#include "shunt/in_place/journal.h"
#include "shunt/in_place/original_view.h"
#include "shunt/io/file.h"

namespace shunt::in_place {

struct Options {
  // Texts for hints: the command that recovers the file, and what a finished edit has achieved
  // ("moov is in front").
  std::string recover_command;
  std::string done;
  // Restores the file's time of modification after the edit, whether it is finished or undone.
  bool preserve_times = false;
  Context context = {};
  // Limit on the non-zero bytes of `overwritten` to save; above it run_edit returns kUnsuitable.
  std::uint64_t max_saved = 48 * 1024;
};

// Runs `edit` on `file`, which is open for reading and writing, locked, and was opened in
// `directory`; the journal is created there. `view` is what the edit was planned from; it shows the
// original bytes throughout. Returns kUnsuitable if the gap cannot be opened; the file is then
// unchanged.
Result<void> run_edit(const files::Directory& directory, io::File& file, OriginalView& view,
                      const Edit& edit, const Options& options);

enum class Recovered {
  kNothing,   // there was no journal
  kOriginal,  // the original bytes were restored
  kFinished,  // the interrupted edit was finished
};

// Plans the edit again from the original bytes, for the room in `record`. The same bytes must give
// the same plan.
using Replan =
    std::function<Result<Edit>(const io::SourcePtr& original, const JournalRecord& record)>;

// Recovers `file` (open for reading and writing, locked, opened in `directory`) from an interrupted
// edit, if it has a journal. Returns kIntegrity if the file no longer matches the journal.
Result<Recovered> recover(const files::Directory& directory, io::File& file, const Replan& replan,
                          const Options& options);

}  // namespace shunt::in_place
