#include "cache/entry_format.h"

#include "cache/cache.h"
#include "cache/cached_source.h"
