// Platforms of images (OCI image-spec, image-index.md, "platform"), and which of them match.
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>

#include "shunt/blob/digest.h"
#include "shunt/oci/image.h"
#include "shunt/oci/json_text.h"
#include "shunt/text/ascii.h"
#include "shunt/text/printable.h"

namespace shunt::oci {
namespace {

struct Machine {
  std::string_view name;  // from uname(2), or as people write it
  std::string_view architecture;
  std::string_view variant;
};

// Go's names, which images use, for the kernel's.
constexpr Machine kMachines[] = {
    {"x86_64", "amd64", ""},   {"x86-64", "amd64", ""}, {"aarch64", "arm64", "v8"},
    {"arm64", "arm64", "v8"},  {"armv8l", "arm", "v7"}, {"armv7l", "arm", "v7"},
    {"armhf", "arm", "v7"},    {"armv6l", "arm", "v6"}, {"armel", "arm", "v6"},
    {"armv5tel", "arm", "v5"}, {"i386", "386", ""},     {"i486", "386", ""},
    {"i586", "386", ""},       {"i686", "386", ""},     {"loongarch64", "loong64", ""},
};

Platform with_usual_names(Platform platform) {
  for (const Machine& machine : kMachines) {
    if (platform.architecture != machine.name) continue;
    platform.architecture = machine.architecture;
    if (platform.variant.empty()) platform.variant = machine.variant;
    break;
  }
  return platform;
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return ascii::is_lower(c) || ascii::is_digit(c) || c == '_' || c == '.' || c == '-';
  });
}

// The variants of an architecture, each able to run code of the following ones, and the default.
struct Ladder {
  std::string_view architecture;
  std::string_view usual;
  std::vector<std::string> variants;
};

const Ladder* ladder_of(std::string_view architecture) {
  static const Ladder kLadders[] = {
      {"amd64", "v1", {"v4", "v3", "v2", "v1"}},
      {"arm64", "v8", {"v9", "v8"}},
      {"arm", "v7", {"v8", "v7", "v6", "v5"}},
  };
  const auto* const found = std::ranges::find(kLadders, architecture, &Ladder::architecture);
  return found == std::end(kLadders) ? nullptr : found;
}

// Returns the variants acceptable for `wanted`, best first.
std::vector<std::string> acceptable_variants(const Platform& wanted) {
  std::vector<std::string> variants{wanted.variant};
  const Ladder* const ladder = ladder_of(wanted.architecture);
  if (ladder != nullptr) {
    const std::string_view from = wanted.variant.empty() ? ladder->usual : wanted.variant;
    auto step = std::ranges::find(ladder->variants, from);
    for (; step != ladder->variants.end(); ++step) {
      if (*step != wanted.variant) variants.push_back(*step);
      // An entry without a variant is of the default one.
      if (*step == ladder->usual && !wanted.variant.empty()) variants.emplace_back();
    }
  }
  if (std::ranges::find(variants, std::string()) == variants.end()) variants.emplace_back();
  return variants;
}

bool is_attestation(const Descriptor& entry) {
  return (entry.platform && entry.platform->os == "unknown") ||
         entry.annotations.contains("vnd.docker.reference.type");
}

std::string describe(const Platform& platform) {
  std::string text = platform.os + "/" + platform.architecture;
  if (!platform.variant.empty()) text += "/" + platform.variant;
  return one_line(text, 100);
}

std::string describe_all(const std::vector<const Descriptor*>& entries) {
  constexpr std::size_t kMost = 20;
  std::string text;
  for (std::size_t i = 0; i < entries.size() && i < kMost; ++i) {
    if (i > 0) text += ", ";
    text += entries[i]->platform ? describe(*entries[i]->platform) : "one without a platform";
  }
  if (entries.size() > kMost) text += fmt::format(" and {} more", entries.size() - kMost);
  return text.empty() ? "none" : text;
}

}  // namespace

Result<Platform> parse_platform(std::string_view text) {
  std::vector<std::string> words;
  for (std::string_view rest = text; words.size() < 4;) {
    const std::size_t slash = rest.find('/');
    words.push_back(ascii::lower(rest.substr(0, slash)));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (words.size() < 2 || words.size() > 3 || !std::ranges::all_of(words, is_word)) {
    return usage(fmt::format(
        "not a valid platform: '{}': it takes OS/ARCHITECTURE[/VARIANT], as in linux/arm64",
        one_line(text)));
  }
  return with_usual_names({words[0], words[1], words.size() == 3 ? words[2] : std::string()});
}

Platform this_platform() {
  utsname names{};
  ::uname(&names);
  return with_usual_names({"linux", names.machine, ""});
}

Result<Descriptor> choose_platform(const std::vector<Descriptor>& entries,
                                   const Platform& platform) {
  std::vector<const Descriptor*> images;
  for (const Descriptor& entry : entries) {
    if (!is_attestation(entry)) images.push_back(&entry);
  }
  const auto same_machine = [&](const Descriptor* entry) {
    return entry->platform && entry->platform->os == platform.os &&
           entry->platform->architecture == platform.architecture;
  };
  for (const std::string& variant : acceptable_variants(platform)) {
    const auto found = std::ranges::find_if(images, [&](const Descriptor* entry) {
      return same_machine(entry) && entry->platform->variant == variant;
    });
    if (found != images.end()) return **found;
  }
  // Architecture without known variants: any one matches.
  if (platform.variant.empty() && ladder_of(platform.architecture) == nullptr) {
    const auto found = std::ranges::find_if(images, same_machine);
    if (found != images.end()) return **found;
  }
  // An index with a single image need not state its platform.
  if (images.size() == 1 && !images[0]->platform) return *images[0];
  Error error;
  error.reason =
      fmt::format("no image for {}; there are: {}", describe(platform), describe_all(images));
  error.hint = "choose one with --platform";
  return error;
}

Result<void> check_platform(std::string_view bytes, const Descriptor& config,
                            const Platform& platform) {
  SHUNT_TRY(blob::check_document(bytes, config.digest, config.size));
  const auto json = parse_json(bytes);
  if (!json) return {};
  const auto os = text_member(*json, "os");
  const auto architecture = text_member(*json, "architecture");
  const auto variant = text_member(*json, "variant");
  if (!os || !architecture || !variant || os->empty() || architecture->empty()) return {};
  Descriptor image;
  image.platform = with_usual_names({*os, *architecture, *variant});
  const auto fits = choose_platform({image}, platform);
  return fits ? Result<void>() : fits.error();
}

}  // namespace shunt::oci
