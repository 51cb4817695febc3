// Type information: read it, look types up, print them as C, write it.
#pragma once

#include "btf/btf.hpp"
#include "btf/builder.hpp"
#include "btf/core.hpp"
#include "btf/ext.hpp"
#include "btf/print.hpp"
