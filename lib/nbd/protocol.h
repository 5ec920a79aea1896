// Constants of the NBD protocol. Names are those of doc/proto.md of the NetworkBlockDevice project
// without NBD_; each group names its section.
#pragma once

#include <cstddef>
#include <cstdint>

namespace shunt::nbd {

// "Newstyle negotiation", "Fixed newstyle negotiation"
inline constexpr std::uint64_t kServerMagic = 0x4e42'444d'4147'4943;  // "NBDMAGIC"
inline constexpr std::uint64_t kOptionMagic = 0x4948'4156'454f'5054;  // "IHAVEOPT"
inline constexpr std::uint64_t kOptionReplyMagic = 0x0003'e889'0455'65a9;
inline constexpr std::size_t kOptionHeaderSize = 16;
inline constexpr std::size_t kExportNamePadding = 124;

// "Conventions": strings.
inline constexpr std::size_t kMostText = 4096;

// "Handshake flags" and "Client flags", which have the same bits
inline constexpr std::uint16_t kFixedNewstyle = 1U << 0U;
inline constexpr std::uint16_t kNoZeroes = 1U << 1U;

// "Transmission flags"
inline constexpr std::uint16_t kHasFlags = 1U << 0U;
inline constexpr std::uint16_t kReadOnly = 1U << 1U;
inline constexpr std::uint16_t kSendFlush = 1U << 2U;
inline constexpr std::uint16_t kSendFua = 1U << 3U;
inline constexpr std::uint16_t kSendTrim = 1U << 5U;
inline constexpr std::uint16_t kSendWriteZeroes = 1U << 6U;
inline constexpr std::uint16_t kSendDf = 1U << 7U;
inline constexpr std::uint16_t kCanMultiConn = 1U << 8U;
inline constexpr std::uint16_t kSendFastZero = 1U << 11U;

// "Option types"
enum class Option : std::uint32_t {
  kExportName = 1,
  kAbort = 2,
  kList = 3,
  kStartTls = 5,
  kInfo = 6,
  kGo = 7,
  kStructuredReply = 8,
  kListMetaContext = 9,
  kSetMetaContext = 10,
};

// "Option reply types"
enum class OptionReply : std::uint32_t {
  kAck = 1,
  kServer = 2,
  kInfo = 3,
  kMetaContext = 4,
  kUnsupported = (1U << 31U) + 1,
  kInvalid = (1U << 31U) + 3,
  kUnknown = (1U << 31U) + 6,
  kTooBig = (1U << 31U) + 9,
};

// The information types of NBD_REP_INFO
enum class Info : std::uint16_t { kExport = 0, kName = 1, kDescription = 2, kBlockSize = 3 };

// "Request message"
inline constexpr std::uint32_t kRequestMagic = 0x2560'9513;
inline constexpr std::size_t kRequestSize = 28;

// "Request types"
enum class Command : std::uint16_t {
  kRead = 0,
  kWrite = 1,
  kDisconnect = 2,
  kFlush = 3,
  kTrim = 4,
  kWriteZeroes = 6,
  kBlockStatus = 7,
};

// "Command flags"
inline constexpr std::uint16_t kFlagFua = 1U << 0U;
inline constexpr std::uint16_t kFlagNoHole = 1U << 1U;
inline constexpr std::uint16_t kFlagDf = 1U << 2U;
inline constexpr std::uint16_t kFlagReqOne = 1U << 3U;
inline constexpr std::uint16_t kFlagFastZero = 1U << 4U;

// "Simple reply message", "Structured reply chunk message"
inline constexpr std::uint32_t kSimpleReplyMagic = 0x6744'6698;
inline constexpr std::size_t kSimpleReplySize = 16;
inline constexpr std::uint32_t kChunkMagic = 0x668e'33ef;
inline constexpr std::size_t kChunkHeaderSize = 20;
inline constexpr std::uint16_t kChunkDone = 1U << 0U;

// "Structured reply types"
enum class Chunk : std::uint16_t {
  kNone = 0,
  kOffsetData = 1,
  kBlockStatus = 5,
  kError = (1U << 15U) + 1,
};

// "The base:allocation metadata context"
inline constexpr std::uint32_t kStateHole = 1U << 0U;
inline constexpr std::uint32_t kStateZero = 1U << 1U;
// An arbitrary number, which the reply to SET_META_CONTEXT announces.
inline constexpr std::uint32_t kAllocationContext = 1;

// "Error values"
enum class Errno : std::uint32_t {
  kPermission = 1,
  kIo = 5,
  kNoMemory = 12,
  kInvalid = 22,
  kNoSpace = 28,
  kOverflow = 75,
  kNotSupported = 95,
  kShutdown = 108,
};

// The largest write of a client that uses no block size constraints ("Block size constraints").
inline constexpr std::uint32_t kLargestWrite = 32U << 20U;

}  // namespace shunt::nbd
