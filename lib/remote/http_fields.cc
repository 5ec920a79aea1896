#include "remote/http_fields.h"

#include "remote/http_origin.h"
#include "remote/image.h"
