// Objects as values: read an ELF file, edit the spec, link it against a Target. No privileges, no kernel needed.
#pragma once

#include "object/asm.hpp"
#include "object/asm.hpp"
#include "object/link.hpp"
#include "object/listing.hpp"
#include "object/listing.hpp"
#include "object/read.hpp"
#include "object/sections.hpp"
#include "object/spec.hpp"
#include "object/target.hpp"
#include "object/write.hpp"
#include "object/write.hpp"
