// Realising a Layout in place: the edit is run under a journal, so that at every instant, and after
// any crash, the original or the result can be had back.
//
//   1. keep aside what will be overwritten; write the journal; make it durable
//   2. open the gap (range insertion, or the shift)           reserved room: nothing to do
//   3. write the front and the patches; sync
//   4. cut or mark the tail; sync
//   5. remove the journal, durably
//
// Until step 4 the bytes that the front is computed from are in the file, so that the edit can be
// finished; until then it can also be undone. From step 4 on it can only be finished. A failure
// before step 4 undoes what was done and returns the error; when the undoing fails too, the journal
// stays and the error's hint says so.
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
  // For hints: the command that brings the file out of an interrupted edit, and what an edit that
  // is done has come to ("moov is in front").
  std::string recover_command;
  std::string done;
  // The file gets the time of modification back that it had before the edit, whether that is
  // finished or undone.
  bool preserve_times = false;
  Context context = {};
  // Non-zero bytes of `overwritten` that may be kept aside; more is kUnsuitable.
  std::uint64_t max_saved = 48 * 1024;
};

// Runs `edit` on `file`, which is open for reading and writing and locked, and was opened in
// `directory`, where its journal goes. `view` is what the edit was planned from and shows the
// original bytes throughout. Returns kUnsuitable if the gap cannot be opened; the file is unchanged
// then.
Result<void> run_edit(const files::Directory& directory, io::File& file, OriginalView& view,
                      const Edit& edit, const Options& options);

enum class Recovered {
  kNothing,   // there was no journal
  kOriginal,  // the original bytes are back
  kFinished,  // the interrupted edit has been finished
};

// Plans the edit again from the original bytes, for the room that `record` describes. The same
// bytes give the same plan.
using Replan =
    std::function<Result<Edit>(const io::SourcePtr& original, const JournalRecord& record)>;

// Brings `file` (open for reading and writing, locked, opened in `directory`) out of whatever state
// an interrupted edit left it in, if there is a journal for it. kIntegrity when the file is not the
// journal's any more.
Result<Recovered> recover(const files::Directory& directory, io::File& file, const Replan& replan,
                          const Options& options);

}  // namespace shunt::in_place
