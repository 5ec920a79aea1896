// mp4check: checks that RESULT is ORIGINAL with moov moved to the front.
//
//   mp4check ORIGINAL RESULT [--already | --moved | --room | --same] [--no-packets]
//
// Checks that moov comes before the media and after ftyp; that all bytes outside moov are there, in
// order; that every absolute offset (stco, co64, saio, iloc, tfhd, tfra, sidx, 'gps ', CTBO, C2PA)
// leads to the same bytes as before, and those into other files are unchanged; and that libavformat
// delivers the same packets, if it can read the original.
//   --already     moov was in front: the two files have to be identical
//   --moved       moov was behind: it has to have moved
//   --room        wherever moov was: there may be more room behind it than before
//   --same        whatever they are, the two files have to be identical (holes are not read)
//   --no-packets  leaves libavformat out
// Exit: 0 they belong together, 1 they do not, 2 usage, 3 trouble (a file that cannot be read).
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "shunt/io/source.h"
#include "shunt/media/packet_trace.h"
#include "support/mp4check_bytes.h"
#include "support/mp4check_offsets.h"
#include "support/mp4check_places.h"

namespace {

using namespace shunt::test::check;

enum class Wanted { kEither, kAlready, kMoved, kRoom, kSame };

struct Arguments {
  std::string original;
  std::string result;
  Wanted wanted = Wanted::kEither;
  bool packets = true;
};

void check_identical(const FileBytes& before, const FileBytes& after) {
  if (before.size() != after.size()) throw Mismatch("it has another size");
  const std::uint64_t same = first_difference(before, 0, after, 0, before.size());
  if (same != before.size()) {
    throw Mismatch("byte " + std::to_string(same) + " differs");
  }
}

shunt::media::PacketTrace packets_of(const std::string& path) {
  const auto source = shunt::io::FileSource::open(path);
  if (!source) throw std::runtime_error(source.error().describe());
  auto trace = shunt::media::trace_packets(**source, {});
  if (!trace) throw std::runtime_error(trace.error().describe());
  return std::move(*trace);
}

std::string check_packets(const Arguments& arguments) {
  const auto before = packets_of(arguments.original);
  if (!before.opened) return "not compared, libavformat cannot read the original";
  if (const auto difference =
          shunt::media::first_difference(before, packets_of(arguments.result))) {
    throw Mismatch(*difference);
  }
  return std::to_string(before.packets.size()) + " the same";
}

// Compares files after a move; returns a short summary.
std::string check_moved(const FileBytes& before, const FileBytes& after,
                        const Arguments& arguments) {
  const Places places = lay_side_by_side(before, after);
  Offsets offsets(before, after, places);
  for (const Pair& pair : places.pairs) offsets.compare(before, pair.old_box, after, pair.new_box);
  const std::vector<std::uint8_t> inflated = inflated_moov(before, places.old_moov);
  if (inflated.empty()) {
    offsets.compare(before, places.old_moov, after, places.new_moov);
  } else {
    const MemoryBytes plain(inflated);
    const BoxList moov = boxes_in(plain, 0, plain.size());
    if (moov.boxes.size() != 1) throw std::runtime_error("no moov in the compressed moov");
    offsets.compare(plain, moov.boxes.front(), after, places.new_moov);
  }
  std::string found = std::to_string(places.pairs.size()) + " boxes";
  for (const auto& [what, count] : offsets.counts()) {
    found += ", " + std::to_string(count) + " x " + what;
  }
  if (!arguments.packets) return found;
  if (offsets.has_external_chunks()) return found + "; packets: not compared, media elsewhere";
  return found + "; packets: " + check_packets(arguments);
}

int run(const Arguments& arguments) {
  const FileBytes before(arguments.original);
  const FileBytes after(arguments.result);
  if (arguments.wanted == Wanted::kSame) {
    check_identical(before, after);
    return 0;
  }
  // Judged by box types. If the media lies in others, the caller has to say.
  const bool was_in_front =
      moov_in_front(boxes_in(before, 0, before.size())) && arguments.wanted != Wanted::kMoved;
  const bool identical = was_in_front && arguments.wanted != Wanted::kRoom;
  if (arguments.wanted == Wanted::kAlready || identical) {
    if (!was_in_front) throw Mismatch("moov was not in front");
    check_identical(before, after);
    std::puts("the same file");
  } else {
    std::puts(check_moved(before, after, arguments).c_str());
  }
  return 0;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  std::vector<std::string> names;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--already") {
      arguments.wanted = Wanted::kAlready;
    } else if (argument == "--moved") {
      arguments.wanted = Wanted::kMoved;
    } else if (argument == "--room") {
      arguments.wanted = Wanted::kRoom;
    } else if (argument == "--same") {
      arguments.wanted = Wanted::kSame;
    } else if (argument == "--no-packets") {
      arguments.packets = false;
    } else if (argument.starts_with("--")) {
      return false;
    } else {
      names.push_back(argument);
    }
  }
  if (names.size() != 2) return false;
  arguments.original = names[0];
  arguments.result = names[1];
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fputs(
        "usage: mp4check ORIGINAL RESULT [--already | --moved | --room | --same] [--no-packets]\n",
        stderr);
    return 2;
  }
  try {
    return run(arguments);
  } catch (const Mismatch& mismatch) {
    std::fprintf(stderr, "mp4check: %s: %s\n", arguments.result.c_str(), mismatch.what());
    return 1;
  } catch (const std::exception& trouble) {
    std::fprintf(stderr, "mp4check: %s\n", trouble.what());
    return 3;
  }
}
