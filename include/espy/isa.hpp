// Instructions: slots, the opcode table, decoding and encoding, assembly text in both directions.
#pragma once

#include "isa/assemble.hpp"
#include "isa/decode.hpp"
#include "isa/disassemble.hpp"
#include "isa/assemble.hpp"
#include "isa/decode.hpp"
#include "isa/disassemble.hpp"
#include "isa/insn.hpp"
#include "isa/opcodes.hpp"
#include "isa/opcodes.hpp"
