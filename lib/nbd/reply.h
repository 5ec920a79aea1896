// Replies of the transmission phase, appended to what goes out (doc/proto.md, "Simple reply
// message", "Structured reply types").
#pragma once

#include <cstdint>
#include <vector>

#include "shunt/nbd/export.h"
#include "shunt/nbd/request.h"
#include "shunt/nbd/wire.h"

namespace shunt::nbd {

// That a request without an answer of its own was done.
void append_done(Bytes& replies, std::uint64_t cookie);

// That it failed: a chunk with the text (of its first 4096 bytes, whole characters), or a number.
void append_failure(Bytes& replies, std::uint64_t cookie, const Failure& failure,
                    bool structured_replies);

// What comes before the data of a READ. With structured replies it is one chunk for all of it,
// and another one behind it that ends the reply: append_data_end or append_failure.
void append_data_header(Bytes& replies, const Request& request, bool structured_replies);
void append_data_end(Bytes& replies, std::uint64_t cookie);

// The answer to BLOCK_STATUS: `found` cut off at the end of the request, neighbours of one kind
// joined.
void append_block_status(Bytes& replies, const Request& request,
                         const std::vector<Allocation>& found);

}  // namespace shunt::nbd
