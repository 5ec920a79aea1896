// A body whose size shows only at its end: an archive that is made while it is sent, the output of
// a program. It comes once, from its start, in order, and may have no end. It is passed on as it
// comes, kept nowhere, and left as soon as enough of it is here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/range_text.h"
#include "base/result.h"
#include "fetch/deliver.h"
#include "io/file.h"
#include "io/source.h"
#include "remote/http_client.h"
#include "remote/http_origin.h"
#include "remote/origin.h"

namespace shunt::fetch {

struct Unsized {
  std::shared_ptr<remote::HttpClient> client;
  remote::HttpBlob blob;
  std::string name;  // for people
};

// Where such a body has to be read at random, as much of it may go to $TMPDIR.
inline constexpr std::uint64_t kMostSpooled = std::uint64_t{1} << 30;

// How many bytes from the start the ranges ask for; UINT64_MAX: all of it. kCorrupt for anything
// that is no single range from the start: of what lies before it nothing could be left out.
[[nodiscard]] Result<std::uint64_t> unsized_part(const Unsized& body,
                                                 const std::vector<RangeText>& ranges);
// kLocalIo, for the cache.
[[nodiscard]] Error cannot_be_cached(const Unsized& body);

// What came of reading one, also when it failed.
struct UnsizedRead {
  Result<void> outcome;
  remote::Traffic traffic;
  std::uint64_t size = 0;  // bytes that were handed on
};

// The first `most` bytes of it, or all, into a stream as they come.
[[nodiscard]] UnsizedRead stream_unsized(const Unsized& body, std::uint64_t most, io::File& out,
                                         const DeliverOptions& options);
// The same into a new file. Where nobody can say how much more is to come, a twentieth of what was
// free on its disk is left free.
[[nodiscard]] UnsizedRead write_unsized(const Unsized& body, std::uint64_t most, io::File& out,
                                        const DeliverOptions& options);
// All of it into `source`, by way of memory or $TMPDIR; more than `most` is kCorrupt.
[[nodiscard]] UnsizedRead spool_unsized(const Unsized& body, io::SourcePtr& source,
                                        std::uint64_t most = kMostSpooled);

}  // namespace shunt::fetch
