// Instructions: the slot, its classes and pseudo sources.
#pragma once

#include "isa/insn.hpp"
