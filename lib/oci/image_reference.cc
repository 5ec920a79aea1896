// Names of images. Registries: the grammar of docker/distribution's references after "docker://",
// as in skopeo. Layouts: "oci:", a path, and a tag after its last component.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "shunt/blob/digest.h"
#include "shunt/oci/image.h"
#include "shunt/text/ascii.h"
#include "shunt/text/printable.h"

namespace shunt::oci {
namespace {

using ascii::is_alphanumeric;
using ascii::is_digit;
using ascii::is_lower;

constexpr std::string_view kRegistryPrefix = "docker://";
constexpr std::string_view kLayoutPrefix = "oci:";
constexpr std::size_t kMaxDomain = 255;
constexpr std::size_t kMaxRepository = 255;
constexpr std::size_t kMaxTag = 128;
constexpr std::size_t kMaxDirectory = 4096;

// Calls `check` for each part between separators; returns false as soon as one call does.
template <typename Check>
bool all_parts(std::string_view text, char separator, Check check) {
  for (;;) {
    const std::size_t end = text.find(separator);
    if (!check(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

// [A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?
bool is_label(std::string_view label) {
  return !label.empty() && is_alphanumeric(label.front()) && is_alphanumeric(label.back()) &&
         std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_port(std::string_view text) {
  const auto port = ascii::parse_number<std::uint16_t>(text);
  return port && *port != 0;
}

// A name, IPv4 address or bracketed IPv6 address, optionally with a port.
bool is_domain(std::string_view text) {
  if (text.size() > kMaxDomain) return false;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view address = text.substr(1, end - 1);
    if (std::ranges::count(address, ':') < 2 || !std::ranges::all_of(address, [](char c) {
          return ascii::is_lower_hex(ascii::lower(c)) || c == ':';
        })) {
      return false;
    }
    rest = text.substr(end + 1);
  } else {
    const std::size_t end = std::min(text.find(':'), text.size());
    if (!all_parts(text.substr(0, end), '.', is_label)) return false;
    rest = text.substr(end);
  }
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

// Runs of lower-case letters and digits, separated by '.', '_', "__" or any number of '-'.
bool is_path_component(std::string_view text) {
  const auto plain = [](char c) { return is_lower(c) || is_digit(c); };
  if (text.empty() || !plain(text.front()) || !plain(text.back())) return false;
  while (!text.empty()) {
    const auto run = std::ranges::find_if_not(text, plain);
    text.remove_prefix(static_cast<std::size_t>(run - text.begin()));
    const auto next = std::ranges::find_if(text, plain);
    const std::string_view between = text.substr(0, static_cast<std::size_t>(next - text.begin()));
    const bool dashes = std::ranges::all_of(between, [](char c) { return c == '-'; });
    if (!dashes && between != "." && between != "_" && between != "__") return false;
    text.remove_prefix(between.size());
  }
  return true;
}

// [A-Za-z0-9_][A-Za-z0-9._-]{0,127}
bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTag && text.front() != '.' && text.front() != '-' &&
         std::ranges::all_of(
             text, [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

// A '@' may be part of a path, unless the name of a hash follows.
bool has_digest(std::string_view name) {
  const std::size_t at = name.rfind('@');
  if (at == std::string_view::npos) return false;
  const std::string_view behind = name.substr(at + 1);
  return std::ranges::any_of(
      std::to_array<std::string_view>({"sha256:", "sha384:", "sha512:"}),
      [&](std::string_view algorithm) { return behind.starts_with(algorithm); });
}

// Returns the position of '@' in "user:password@host/…", or npos: the last one, unless it belongs
// to a digest.
std::size_t user_end(std::string_view name) {
  const std::size_t at = name.rfind('@');
  if (has_digest(name) && name.find('/', at) == std::string_view::npos) {
    name = name.substr(0, at);
  }
  return name.rfind('@');
}

// Removes "@digest" from the end of `name` and returns the digest.
Result<std::string> take_digest(std::string_view& name) {
  const std::size_t at = name.rfind('@');
  if (at == std::string_view::npos) return std::string();
  const std::string_view digest = name.substr(at + 1);
  if (!blob::is_digest(digest)) {
    return usage(fmt::format("\"{}\" is not a digest: \"sha256:\" and 64 lower-case hex digits",
                             one_line(digest)));
  }
  name = name.substr(0, at);
  return std::string(digest);
}

// Removes ":tag" from the end of `name`: after the last ':' of the last component.
Result<std::string> take_tag(std::string_view& name) {
  const std::size_t colon = name.rfind(':');
  const std::size_t slash = name.rfind('/');
  if (colon == std::string_view::npos || (slash != std::string_view::npos && colon < slash)) {
    return std::string();
  }
  const std::string_view tag = name.substr(colon + 1);
  if (!is_tag(tag)) {
    return usage(fmt::format(
        "\"{}\" is not a tag: up to 128 letters, digits and \"_.-\", not \".\" or \"-\" first",
        one_line(tag)));
  }
  name = name.substr(0, colon);
  return std::string(tag);
}

bool looks_like_domain(std::string_view component) {
  return component.find_first_of(".:") != std::string_view::npos || component == "localhost";
}

Result<ImageReference> parse_registry(std::string_view name) {
  ImageReference reference;
  if (const std::size_t at = user_end(name); at != std::string_view::npos) {
    return usage(fmt::format("\"{}\" is not a digest, and a name contains no user and password",
                             one_line(name.substr(at + 1))))
        .with_hint("log in with `skopeo login` or `docker login`, or name a file with --authfile");
  }
  SHUNT_ASSIGN(reference.digest, take_digest(name));
  SHUNT_ASSIGN(reference.tag, take_tag(name));
  if (!reference.digest.empty()) {
    reference.tag.clear();
  } else if (reference.tag.empty()) {
    reference.tag = "latest";
  }

  reference.host = "docker.io";
  const std::size_t slash = name.find('/');
  if (slash != std::string_view::npos && looks_like_domain(name.substr(0, slash))) {
    const std::string_view domain = name.substr(0, slash);
    if (!is_domain(domain)) {
      return usage(fmt::format("\"{}\" is not a host", one_line(domain)));
    }
    reference.host = ascii::lower(domain);
    name.remove_prefix(slash + 1);
  }
  if (reference.host == "index.docker.io") reference.host = "docker.io";
  reference.repository = name;
  if (reference.host == "docker.io" && name.find('/') == std::string_view::npos) {
    reference.repository = fmt::format("library/{}", name);
  }
  // The registry limits the repository's full name.
  if (reference.repository.size() > kMaxRepository || !all_parts(name, '/', is_path_component)) {
    return usage(fmt::format(
        "\"{}\" is not a repository: lower-case words with \"/._-\" between them", one_line(name)));
  }
  return reference;
}

Result<ImageReference> parse_layout(std::string_view name) {
  ImageReference reference;
  reference.kind = ImageReference::Kind::kLayout;
  if (has_digest(name)) {
    SHUNT_ASSIGN(reference.digest, take_digest(name));
  }
  SHUNT_ASSIGN(reference.tag, take_tag(name));
  if (!reference.digest.empty()) reference.tag.clear();
  if (name.empty()) return usage("the directory of the layout is missing");
  // Leaves room for the '/' that to_string() may add.
  const std::size_t longest = name.ends_with('/') ? kMaxDirectory : kMaxDirectory - 1;
  if (name.size() > longest || name.find('\0') != std::string_view::npos) {
    return usage("the directory of the layout has an invalid name");
  }
  reference.directory = name;
  return reference;
}

}  // namespace

std::string show_image_reference(std::string_view text) {
  const std::size_t end = text.starts_with(kLayoutPrefix) ? std::string_view::npos : user_end(text);
  if (end == std::string_view::npos) return one_line(text);
  const std::size_t scheme = text.substr(0, end).find("://");
  return one_line(fmt::format("{}...{}",
                              text.substr(0, scheme == std::string_view::npos ? 0 : scheme + 3),
                              text.substr(end)));
}

Result<ImageReference> parse_image_reference(std::string_view text) {
  Result<ImageReference> reference = usage("an image is \"docker://…\" or \"oci:DIR\"");
  if (text.starts_with(kRegistryPrefix)) {
    reference = parse_registry(text.substr(kRegistryPrefix.size()));
  } else if (text.starts_with(kLayoutPrefix)) {
    reference = parse_layout(text.substr(kLayoutPrefix.size()));
  }
  if (!reference) return reference.error().with_path(show_image_reference(text));
  return reference;
}

std::string ImageReference::to_string() const {
  std::string name;
  if (kind == Kind::kRegistry) {
    name = fmt::format("{}{}/{}", kRegistryPrefix, host, repository);
  } else {
    name = fmt::format("{}{}", kLayoutPrefix, directory);
    // Without a tag, a ':' in the last component would be read as the begin of one.
    const std::size_t slash = directory.rfind('/');
    if (tag.empty() &&
        directory.find(':', slash == std::string::npos ? 0 : slash) != std::string::npos) {
      name += '/';
    }
  }
  if (!digest.empty()) return name + "@" + digest;
  if (!tag.empty()) return name + ":" + tag;
  return name;
}

}  // namespace shunt::oci
