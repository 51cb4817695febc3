// What kernels offer: program types, map types, attach types, helpers, with the version that brought each.
#pragma once

#include "facts/features.hpp"
#include "facts/prog_rules.hpp"
#include "facts/tables.hpp"
#include "facts/types.hpp"
