/* The C interface between shunt and shunt-media.so, the module that links libavformat.
 *
 * The module is loaded when packets are first asked for: linking libavformat costs every start of
 * the program some 57 ms. Nothing of C++ crosses this border: no types, and no exceptions; a
 * callback that could throw catches and tells its caller to stop.
 *
 * Ownership: every pointer belongs to the side that passes it, and the other side may use it only
 * until the call returns. The table that the entry point returns is static.
 *
 * Threads: trace() and play() may run in several threads at once, with an input and a report each.
 * They make their callbacks in the thread that called, and never after they have returned.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised with every change to the structs below or to what their members mean. */
#define SHUNT_MEDIA_ABI_VERSION 3u

/* The bytes to demux; they do not change during the call. */
typedef struct ShuntMediaInput {
  void* context; /* handed back to the callbacks */
  uint64_t size; /* in bytes */
  /* Reads up to `size` bytes at `offset`, which is below the input's size. Returns their number, 0
   * when the input ends there after all, and -1 when reading failed: then the reading side keeps
   * the reason, and the module calls nothing more and returns SHUNT_MEDIA_STOPPED. */
  int64_t (*read_at)(void* context, uint64_t offset, uint8_t* into, size_t size);
  /* Not 0 when the work should stop; asked often. */
  int (*cancelled)(void* context);
} ShuntMediaInput;

/* What trace() is to leave out: the packets of the tracks with these numbers (track_ID). */
typedef struct ShuntMediaTracks {
  const uint32_t* numbers; /* NULL when there are none */
  size_t count;
} ShuntMediaTracks;

/* What trace() tells, in this order: opened once, packet for each packet, failed at most once at
 * any point, streams once at the end. An input that cannot be opened brings `failed` alone. */
typedef struct ShuntMediaReport {
  void* context; /* handed back to the callbacks */
  void (*opened)(void* context);
  /* The digest of one packet, and the size of its payload in bytes. Not 0 stops. */
  int (*packet)(void* context, uint64_t digest, uint64_t size);
  void (*streams)(void* context, uint32_t count, uint64_t digest);
  /* The first thing that went wrong, for people; valid during the call. */
  void (*failed)(void* context, const char* reason);
} ShuntMediaReport;

enum {
  SHUNT_MEDIA_DONE = 0,    /* as far as libavformat could read; see `failed` */
  SHUNT_MEDIA_STOPPED = 1, /* by a callback; the work is not complete */
  SHUNT_MEDIA_REFUSED = 2  /* by play() alone: libavformat cannot open the input */
};

typedef struct ShuntMediaModule {
  uint32_t abi_version; /* first in every version: looked at before the rest */
  /* Demuxes the input as MP4, MOV and their kin, and reports. Returns one of the values above. */
  int (*trace)(const ShuntMediaInput* input, ShuntMediaTracks left_out,
               const ShuntMediaReport* report);
  /* Reads what a player reads first: opens the input as whatever it looks like, of the formats that
   * are one file, and reads packets until the first video and the first audio stream have come past
   * `seconds`, or `most` bytes of payload, or the end. Returns one of the values above. */
  int (*play)(const ShuntMediaInput* input, double seconds, uint64_t most);
} ShuntMediaModule;

/* The one symbol that the module exports, a ShuntMediaEntry. */
#define SHUNT_MEDIA_ENTRY "shunt_media_module"
typedef const ShuntMediaModule* (*ShuntMediaEntry)(void);

#ifdef __cplusplus
}
#endif
