// An independent MP4/QuickTime writer for tests. Includes all its parts.
//
// A file is composed from the inside out and then rendered:
//
//   const std::vector<Track> tracks = {fixed_track(1, 8), varying_track(2, 8)};
//   const Blob file = cat(ftyp(), box("mdat", interleave(tracks)), moov(tracks));
//   file.write_file(path);                // sparse where it has holes
//   const auto bytes = file.to_vector();  // or in memory
//   file.labels().at("t1.c0");            // where the first chunk of track 1 lies
//
// There is no MovieBuilder object: the order of the calls to cat() is the order in the file.
#pragma once

#include "support/blob.h"       // bytes, labels, references, output
#include "support/boxes.h"      // box headers in all forms, ftyp, free, uuid, noise
#include "support/fragments.h"  // moof, mfra, sidx
#include "support/items.h"      // iloc, meta; senc, saiz, saio
#include "support/tracks.h"     // Track, trak, moov, interleave
#include "support/vendor.h"     // gps, CTBO, C2PA, afra, cmov
