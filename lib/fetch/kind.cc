#include "fetch/deliver.h"
