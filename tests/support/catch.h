// The only include of Catch2: tests include this, so that moving to v3 changes one line (to
// <catch2/catch_all.hpp>).
#pragma once

#include <catch2/catch.hpp>
