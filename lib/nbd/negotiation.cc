#include "shunt/nbd/negotiation.h"

#include <algorithm>
#include <optional>

namespace shunt::nbd {

namespace {

constexpr std::size_t kClientFlagsSize = 4;
constexpr std::uint32_t kSmallestBlock = 1;
constexpr std::uint32_t kPreferredBlock = 4096;
constexpr std::string_view kAllocationName = "base:allocation";

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes info_of(Info type) {
  Bytes data;
  append(data, static_cast<std::uint16_t>(type));
  return data;
}

}  // namespace

std::uint16_t Offer::transmission_flags(bool structured_replies) const {
  unsigned flags = kHasFlags;
  if (features.read_only) flags |= kReadOnly;
  if (features.flush) flags |= kSendFlush;
  if (features.fua) flags |= kSendFua;
  if (features.trim) flags |= kSendTrim;
  if (features.zeroes) flags |= kSendWriteZeroes;
  if (structured_replies) flags |= kSendDf;
  if (features.multi_conn) flags |= kCanMultiConn;
  if (features.fast_zero) flags |= kSendFastZero;
  return static_cast<std::uint16_t>(flags);
}

void Negotiation::greet(Bytes& replies) {
  append(replies, kServerMagic);
  append(replies, kOptionMagic);
  append(replies, static_cast<std::uint16_t>(kFixedNewstyle | kNoZeroes));
}

std::size_t Negotiation::take(std::span<const std::byte> received, Bytes& replies) {
  if (state_ != State::kGoingOn || received.empty()) return 0;
  if (!flags_known_) return take_client_flags(received);
  if (to_pass_over_ > 0) return pass_over(received, replies);
  return take_option(received, replies);
}

std::size_t Negotiation::take_client_flags(std::span<const std::byte> received) {
  if (received.size() < kClientFlagsSize) return 0;
  const auto flags = load_be<std::uint32_t>(received.data());
  if ((flags & ~std::uint32_t{kFixedNewstyle | kNoZeroes}) != 0) broken("unknown client flags");
  no_zeroes_ = (flags & kNoZeroes) != 0;
  flags_known_ = true;
  return kClientFlagsSize;
}

std::size_t Negotiation::take_option(std::span<const std::byte> received, Bytes& replies) {
  if (received.size() < kOptionHeaderSize) return 0;
  if (load_be<std::uint64_t>(received.data()) != kOptionMagic) {
    broken("no option where one is expected");
    return received.size();
  }
  const auto size = load_be<std::uint32_t>(received.data() + 12);
  if (size <= kMostOptionData && received.size() - kOptionHeaderSize < size) {
    // Do not wait for data that exceeds the limit.
    if (size > limits_.option_bytes - std::min(option_bytes_, limits_.option_bytes)) {
      broken("too much data of options");
    }
    return 0;
  }
  if (!count(size)) return received.size();
  option_ = Option{load_be<std::uint32_t>(received.data() + 8)};
  if (size > kMostOptionData) {
    to_pass_over_ = size;
    return kOptionHeaderSize;
  }
  answer(received.subspan(kOptionHeaderSize, size), replies);
  return kOptionHeaderSize + size;
}

// Counts an option; returns false if it exceeds the limits.
bool Negotiation::count(std::uint32_t data_size) {
  if (++options_ > limits_.options) {
    broken("too many options");
    return false;
  }
  if (data_size > limits_.option_bytes || option_bytes_ > limits_.option_bytes - data_size) {
    broken("too much data of options");
    return false;
  }
  option_bytes_ += data_size;
  return true;
}

std::size_t Negotiation::pass_over(std::span<const std::byte> received, Bytes& replies) {
  const std::size_t taken = std::min<std::size_t>(received.size(), to_pass_over_);
  to_pass_over_ -= static_cast<std::uint32_t>(taken);
  if (to_pass_over_ > 0) return taken;
  if (option_ == Option::kExportName) {
    broken("an export name that is too long");
  } else if (option_ == Option::kAbort) {
    answer({}, replies);
  } else {
    if (option_ == Option::kSetMetaContext) agreed_.allocation = false;
    refuse(replies, OptionReply::kTooBig, "too much data for an option");
  }
  return taken;
}

void Negotiation::answer(std::span<const std::byte> data, Bytes& replies) {
  switch (option_) {
    case Option::kExportName:
      return export_name(data, replies);
    case Option::kAbort:
      acknowledge(replies);
      state_ = State::kEnded;
      return;
    case Option::kList:
      return list(data, replies);
    case Option::kInfo:
    case Option::kGo:
      return info(data, replies);
    case Option::kStructuredReply:
      if (!data.empty()) return refuse(replies, OptionReply::kInvalid, "unexpected data");
      agreed_.structured_replies = true;
      return acknowledge(replies);
    case Option::kListMetaContext:
    case Option::kSetMetaContext:
      return meta_context(data, replies);
    case Option::kStartTls:
      return refuse(replies, OptionReply::kUnsupported, "TLS is not supported");
  }
  refuse(replies, OptionReply::kUnsupported, "an unknown option");
}

// This option has no error reply: a client that names another export is disconnected.
void Negotiation::export_name(std::span<const std::byte> data, Bytes& replies) {
  if (!data.empty()) return broken("an unknown export");
  append(replies, offer_->size);
  append(replies, offer_->transmission_flags(agreed_.structured_replies));
  if (!no_zeroes_) replies.resize(replies.size() + kExportNamePadding);
  state_ = State::kTransmission;
}

void Negotiation::list(std::span<const std::byte> data, Bytes& replies) {
  if (!data.empty()) return refuse(replies, OptionReply::kInvalid, "unexpected data");
  Bytes server;
  append(server, std::uint32_t{0});  // the length of the name
  append(server, std::string_view(offer_->description).substr(0, kMostText));
  reply(replies, OptionReply::kServer, server);
  acknowledge(replies);
}

void Negotiation::info(std::span<const std::byte> data, Bytes& replies) {
  WireReader reader(data);
  const auto name = reader.text();
  const auto wanted = reader.number<std::uint16_t>();
  if (!name || name->size() > kMostText || !wanted || reader.left() != 2U * *wanted) {
    return refuse(replies, OptionReply::kInvalid, "inconsistent lengths");
  }
  if (!name->empty()) return refuse(replies, OptionReply::kUnknown, "no export of this name");

  bool wants_name = false;
  bool wants_description = false;
  bool wants_block_size = false;
  while (const auto type = reader.number<std::uint16_t>()) {
    wants_name = wants_name || *type == static_cast<std::uint16_t>(Info::kName);
    wants_description =
        wants_description || *type == static_cast<std::uint16_t>(Info::kDescription);
    wants_block_size = wants_block_size || *type == static_cast<std::uint16_t>(Info::kBlockSize);
  }
  Bytes about = info_of(Info::kExport);
  append(about, offer_->size);
  append(about, offer_->transmission_flags(agreed_.structured_replies));
  reply(replies, OptionReply::kInfo, about);
  if (wants_name) reply(replies, OptionReply::kInfo, info_of(Info::kName));
  if (wants_description && !offer_->description.empty()) {
    about = info_of(Info::kDescription);
    append(about, std::string_view(offer_->description).substr(0, kMostText));
    reply(replies, OptionReply::kInfo, about);
  }
  if (wants_block_size) {
    about = info_of(Info::kBlockSize);
    append(about, kSmallestBlock);
    append(about, kPreferredBlock);
    append(about, std::max(kPreferredBlock, offer_->largest_request));
    reply(replies, OptionReply::kInfo, about);
  }
  acknowledge(replies);
  if (option_ == Option::kGo) state_ = State::kTransmission;
}

void Negotiation::meta_context(std::span<const std::byte> data, Bytes& replies) {
  const bool sets = option_ == Option::kSetMetaContext;
  // Previous contexts are discarded, whatever the result.
  if (sets) agreed_.allocation = false;
  if (!agreed_.structured_replies) {
    return refuse(replies, OptionReply::kInvalid, "structured replies have to be negotiated first");
  }
  WireReader reader(data);
  const auto name = reader.text();
  const auto queries = reader.number<std::uint32_t>();
  bool valid = name && name->size() <= kMostText && queries;
  bool matches = !sets && valid && *queries == 0;
  for (std::uint32_t i = 0; valid && i < *queries; ++i) {
    const auto query = reader.text();
    valid = query && query->size() <= kMostText;
    matches = matches || (valid && (*query == kAllocationName || (!sets && *query == "base:")));
  }
  if (!valid || reader.left() > 0) {
    return refuse(replies, OptionReply::kInvalid, "inconsistent lengths");
  }
  if (!name->empty()) return refuse(replies, OptionReply::kUnknown, "no export of this name");
  if (matches) {
    Bytes context;
    append(context, sets ? kAllocationContext : 0);
    append(context, kAllocationName);
    reply(replies, OptionReply::kMetaContext, context);
    agreed_.allocation = agreed_.allocation || sets;
  }
  acknowledge(replies);
}

void Negotiation::refuse(Bytes& replies, OptionReply type, std::string_view text) const {
  reply(replies, type, std::as_bytes(std::span(text)));
}

void Negotiation::reply(Bytes& replies, OptionReply type, std::span<const std::byte> data) const {
  append(replies, kOptionReplyMagic);
  append(replies, static_cast<std::uint32_t>(option_));
  append(replies, static_cast<std::uint32_t>(type));
  append(replies, static_cast<std::uint32_t>(data.size()));
  append(replies, as_text(data));
}

void Negotiation::broken(std::string_view why) {
  state_ = State::kBroken;
  why_ = why;
}

}  // namespace shunt::nbd
