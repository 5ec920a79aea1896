// Replies of the transmission phase, appended to the outgoing bytes (doc/proto.md, "Simple reply
// message", "Structured reply types").
#pragma once

#include <cstdint>
#include <vector>

#include "shunt/nbd/export.h"
#include "shunt/nbd/request.h"
#include "shunt/nbd/wire.h"

namespace shunt::nbd {

// Success of a request without data.
void append_done(Bytes& replies, std::uint64_t cookie);

// Failure: a chunk with the text (its first 4096 bytes, cut at a character), or only a number.
void append_failure(Bytes& replies, std::uint64_t cookie, const Failure& failure,
                    bool structured_replies);

// The header before the data of a READ. With structured replies all data is one chunk, and
// append_data_end or append_failure adds the chunk that ends the reply.
void append_data_header(Bytes& replies, const Request& request, bool structured_replies);
void append_data_end(Bytes& replies, std::uint64_t cookie);

// The reply to BLOCK_STATUS: `found`, cut at the end of the request, with equal neighbours joined.
void append_block_status(Bytes& replies, const Request& request,
                         const std::vector<Allocation>& found);

}  // namespace shunt::nbd
