#include "shunt/faststart/faststart.h"
#include "shunt/faststart/interrupted.h"
#include "shunt/files/directory.h"
#include "shunt/files/lock.h"
#include "shunt/files/path.h"
#include "shunt/in_place/journal.h"

namespace shunt::faststart {

Result<io::SourcePtr> open_source(const std::string& path, Reading reading, io::Counters* counters,
                                  const CancelToken* cancel) {
  SHUNT_ASSIGN(const std::shared_ptr<const io::FileSource> source,
               io::FileSource::open(path, counters, cancel));
  // The lock excludes edits while the source is open. If there is a journal now, no process is
  // working on it.
  if (reading == Reading::kWholeFile) SHUNT_TRY(files::lock_shared(source->file()));
  SHUNT_ASSIGN(const std::string real_path, files::resolve(path));
  SHUNT_ASSIGN(const files::Directory directory, files::Directory::holding(real_path));
  SHUNT_ASSIGN(const auto journal,
               in_place::Journal::pending(directory, files::file_name(real_path), source->file()));
  if (!journal) return io::SourcePtr(source);
  // An edit in progress has a journal too, and holds the lock.
  if (reading == Reading::kHeadersOnly)
    return open_source(path, Reading::kWholeFile, counters, cancel);
  return interrupted_before(path);
}

}  // namespace shunt::faststart
