#include "faststart/faststart.h"
#include "faststart/interrupted.h"
#include "io/directory.h"
#include "io/lock.h"
#include "io/path.h"
#include "layout/journal.h"

namespace shunt::faststart {

Result<io::SourcePtr> open_source(const std::string& path, Reading reading, io::Counters* counters,
                                  const CancelToken* cancel) {
  SHUNT_ASSIGN(const std::shared_ptr<const io::FileSource> source,
               io::FileSource::open(path, counters, cancel));
  // The lock keeps edits away for as long as the source is open; a journal that is there then is
  // nobody's at work.
  if (reading == Reading::kAll) SHUNT_TRY(io::lock_shared(source->file()));
  SHUNT_ASSIGN(const std::string real_path, io::resolve(path));
  SHUNT_ASSIGN(const io::Directory directory, io::Directory::holding(real_path));
  SHUNT_ASSIGN(const auto journal,
               layout::Journal::pending(directory, io::file_name(real_path), source->file()));
  if (!journal) return io::SourcePtr(source);
  // A run that is under way has one too, and the file locked.
  if (reading == Reading::kALook) return open_source(path, Reading::kAll, counters, cancel);
  return interrupted_before(path);
}

}  // namespace shunt::faststart
