#include "isa/opcodes.hpp"

#include <algorithm>
#include <utility>

namespace espy::isa {

namespace {

using enum Operation;
using enum IsaVersion;
using enum Selector;

// Columns as the members of OpcodeRow stand: name, opcode, selector, selected, operation, bits, isa, linux, syntax, also.
// clang-format off
constexpr auto kOpcodes = std::to_array<OpcodeRow>({
    {"add32_imm", 0x04, none, 0, add, 32, v3, {3, 18}, "%D += %u"},
    {"goto", 0x05, none, 0, goto_, 64, v1, {3, 18}, "goto %t"},
    {"gotol", 0x06, none, 0, goto_, 32, v4, {6, 6}, "gotol %T"},
    {"add64_imm", 0x07, none, 0, add, 64, v1, {3, 18}, "%d += %i"},
    {"add32_reg", 0x0c, none, 0, add, 32, v3, {3, 18}, "%D += %S"},
    {"gotox", 0x0d, none, 0, gotox, 64, later, {6, 19}, "gotox %d"},
    {"add64_reg", 0x0f, none, 0, add, 64, v1, {3, 18}, "%d += %s"},
    {"sub32_imm", 0x14, none, 0, sub, 32, v3, {3, 18}, "%D -= %u"},
    {"jeq64_imm", 0x15, none, 0, jeq, 64, v1, {3, 18}, "if %d == %h goto %t"},
    {"jeq32_imm", 0x16, none, 0, jeq, 32, v3, {5, 1}, "if %D == %h goto %t"},
    {"sub64_imm", 0x17, none, 0, sub, 64, v1, {3, 18}, "%d -= %i"},
    {"ld_imm64", 0x18, src, 0, ld_imm64, 64, v1, {3, 18}, "%d = %q ll", {"%d = %n ll"}},
    {"ld_imm64_map_fd", 0x18, src, 1, ld_imm64, 64, v1, {3, 18}, "%d = map[fd:%i] %l", {"%d = map[%n] %l"}},
    {"ld_imm64_map_value", 0x18, src, 2, ld_imm64, 64, v1, {5, 2}, "%d = map[fd:%i][0]+%x %l",
     {"%d = map[%n][0]+%x %l", "%d = map_value[%n]+%x %l", "%d = map_value[%n] %l"}},
    {"ld_imm64_btf_id", 0x18, src, 3, ld_imm64, 64, v1, {5, 10}, "%d = ksym[btf:%i module:%x] %l",
     {"%d = ksym[%n] %l"}},
    {"ld_imm64_func", 0x18, src, 4, ld_imm64, 64, v1, {5, 13}, "%d = subprog[%P] %l",
     {"%d = subprog[%n] %l"}},
    {"ld_imm64_map_idx", 0x18, src, 5, ld_imm64, 64, v1, {5, 14}, "%d = map[idx:%i] %l"},
    {"ld_imm64_map_idx_value", 0x18, src, 6, ld_imm64, 64, v1, {5, 14}, "%d = map[idx:%i][0]+%x %l"},
    {"sub32_reg", 0x1c, none, 0, sub, 32, v3, {3, 18}, "%D -= %S"},
    {"jeq64_reg", 0x1d, none, 0, jeq, 64, v1, {3, 18}, "if %d == %s goto %t"},
    {"jeq32_reg", 0x1e, none, 0, jeq, 32, v3, {5, 1}, "if %D == %S goto %t"},
    {"sub64_reg", 0x1f, none, 0, sub, 64, v1, {3, 18}, "%d -= %s"},
    {"ld_abs_u32", 0x20, none, 0, ld_abs, 32, v1, {3, 18}, "r0 = *(u32 *)skb[%u]"},
    {"mul32_imm", 0x24, none, 0, mul, 32, v3, {3, 18}, "%D *= %u"},
    {"jgt64_imm", 0x25, none, 0, jgt, 64, v1, {3, 18}, "if %d > %h goto %t"},
    {"jgt32_imm", 0x26, none, 0, jgt, 32, v3, {5, 1}, "if %D > %h goto %t"},
    {"mul64_imm", 0x27, none, 0, mul, 64, v1, {3, 18}, "%d *= %i"},
    {"ld_abs_u16", 0x28, none, 0, ld_abs, 16, v1, {3, 18}, "r0 = *(u16 *)skb[%u]"},
    {"mul32_reg", 0x2c, none, 0, mul, 32, v3, {3, 18}, "%D *= %S"},
    {"jgt64_reg", 0x2d, none, 0, jgt, 64, v1, {3, 18}, "if %d > %s goto %t"},
    {"jgt32_reg", 0x2e, none, 0, jgt, 32, v3, {5, 1}, "if %D > %S goto %t"},
    {"mul64_reg", 0x2f, none, 0, mul, 64, v1, {3, 18}, "%d *= %s"},
    {"ld_abs_u8", 0x30, none, 0, ld_abs, 8, v1, {3, 18}, "r0 = *(u8 *)skb[%u]"},
    {"div32_imm", 0x34, off, 0, div, 32, v3, {3, 18}, "%D /= %u"},
    {"sdiv32_imm", 0x34, off, 1, sdiv, 32, v4, {6, 6}, "%D s/= %u"},
    {"jge64_imm", 0x35, none, 0, jge, 64, v1, {3, 18}, "if %d >= %h goto %t"},
    {"jge32_imm", 0x36, none, 0, jge, 32, v3, {5, 1}, "if %D >= %h goto %t"},
    {"div64_imm", 0x37, off, 0, div, 64, v1, {3, 18}, "%d /= %i"},
    {"sdiv64_imm", 0x37, off, 1, sdiv, 64, v4, {6, 6}, "%d s/= %i"},
    {"div32_reg", 0x3c, off, 0, div, 32, v3, {3, 18}, "%D /= %S"},
    {"sdiv32_reg", 0x3c, off, 1, sdiv, 32, v4, {6, 6}, "%D s/= %S"},
    {"jge64_reg", 0x3d, none, 0, jge, 64, v1, {3, 18}, "if %d >= %s goto %t"},
    {"jge32_reg", 0x3e, none, 0, jge, 32, v3, {5, 1}, "if %D >= %S goto %t"},
    {"div64_reg", 0x3f, off, 0, div, 64, v1, {3, 18}, "%d /= %s"},
    {"sdiv64_reg", 0x3f, off, 1, sdiv, 64, v4, {6, 6}, "%d s/= %s"},
    {"ld_ind_u32", 0x40, none, 0, ld_ind, 32, v1, {3, 18}, "r0 = *(u32 *)skb[%s + %u]",
     {"r0 = *(u32 *)skb[%s]"}},
    {"or32_imm", 0x44, none, 0, or_, 32, v3, {3, 18}, "%D |= %u"},
    {"jset64_imm", 0x45, none, 0, jset, 64, v1, {3, 18}, "if %d & %h goto %t"},
    {"jset32_imm", 0x46, none, 0, jset, 32, v3, {5, 1}, "if %D & %h goto %t"},
    {"or64_imm", 0x47, none, 0, or_, 64, v1, {3, 18}, "%d |= %i"},
    {"ld_ind_u16", 0x48, none, 0, ld_ind, 16, v1, {3, 18}, "r0 = *(u16 *)skb[%s + %u]",
     {"r0 = *(u16 *)skb[%s]"}},
    {"or32_reg", 0x4c, none, 0, or_, 32, v3, {3, 18}, "%D |= %S"},
    {"jset64_reg", 0x4d, none, 0, jset, 64, v1, {3, 18}, "if %d & %s goto %t"},
    {"jset32_reg", 0x4e, none, 0, jset, 32, v3, {5, 1}, "if %D & %S goto %t"},
    {"or64_reg", 0x4f, none, 0, or_, 64, v1, {3, 18}, "%d |= %s"},
    {"ld_ind_u8", 0x50, none, 0, ld_ind, 8, v1, {3, 18}, "r0 = *(u8 *)skb[%s + %u]", {"r0 = *(u8 *)skb[%s]"}},
    {"and32_imm", 0x54, none, 0, and_, 32, v3, {3, 18}, "%D &= %u"},
    {"jne64_imm", 0x55, none, 0, jne, 64, v1, {3, 18}, "if %d != %h goto %t"},
    {"jne32_imm", 0x56, none, 0, jne, 32, v3, {5, 1}, "if %D != %h goto %t"},
    {"and64_imm", 0x57, none, 0, and_, 64, v1, {3, 18}, "%d &= %i"},
    {"and32_reg", 0x5c, none, 0, and_, 32, v3, {3, 18}, "%D &= %S"},
    {"jne64_reg", 0x5d, none, 0, jne, 64, v1, {3, 18}, "if %d != %s goto %t"},
    {"jne32_reg", 0x5e, none, 0, jne, 32, v3, {5, 1}, "if %D != %S goto %t"},
    {"and64_reg", 0x5f, none, 0, and_, 64, v1, {3, 18}, "%d &= %s"},
    {"ldx_u32", 0x61, none, 0, load, 32, v1, {3, 18}, "%d = *(u32 *)(%s %o)", {"%D = *(u32 *)(%s %o)"}},
    {"st_u32", 0x62, none, 0, store, 32, v1, {3, 18}, "*(u32 *)(%d %o) = %u"},
    {"stx_u32", 0x63, none, 0, store, 32, v1, {3, 18}, "*(u32 *)(%d %o) = %s", {"*(u32 *)(%d %o) = %S"}},
    {"lsh32_imm", 0x64, none, 0, lsh, 32, v3, {3, 18}, "%D <<= %u"},
    {"jsgt64_imm", 0x65, none, 0, jsgt, 64, v1, {3, 18}, "if %d s> %h goto %t"},
    {"jsgt32_imm", 0x66, none, 0, jsgt, 32, v3, {5, 1}, "if %D s> %h goto %t"},
    {"lsh64_imm", 0x67, none, 0, lsh, 64, v1, {3, 18}, "%d <<= %i"},
    {"ldx_u16", 0x69, none, 0, load, 16, v1, {3, 18}, "%d = *(u16 *)(%s %o)", {"%D = *(u16 *)(%s %o)"}},
    {"st_u16", 0x6a, none, 0, store, 16, v1, {3, 18}, "*(u16 *)(%d %o) = %u"},
    {"stx_u16", 0x6b, none, 0, store, 16, v1, {3, 18}, "*(u16 *)(%d %o) = %s", {"*(u16 *)(%d %o) = %S"}},
    {"lsh32_reg", 0x6c, none, 0, lsh, 32, v3, {3, 18}, "%D <<= %S"},
    {"jsgt64_reg", 0x6d, none, 0, jsgt, 64, v1, {3, 18}, "if %d s> %s goto %t"},
    {"jsgt32_reg", 0x6e, none, 0, jsgt, 32, v3, {5, 1}, "if %D s> %S goto %t"},
    {"lsh64_reg", 0x6f, none, 0, lsh, 64, v1, {3, 18}, "%d <<= %s"},
    {"ldx_u8", 0x71, none, 0, load, 8, v1, {3, 18}, "%d = *(u8 *)(%s %o)", {"%D = *(u8 *)(%s %o)"}},
    {"st_u8", 0x72, none, 0, store, 8, v1, {3, 18}, "*(u8 *)(%d %o) = %u"},
    {"stx_u8", 0x73, none, 0, store, 8, v1, {3, 18}, "*(u8 *)(%d %o) = %s", {"*(u8 *)(%d %o) = %S"}},
    {"rsh32_imm", 0x74, none, 0, rsh, 32, v3, {3, 18}, "%D >>= %u"},
    {"jsge64_imm", 0x75, none, 0, jsge, 64, v1, {3, 18}, "if %d s>= %h goto %t"},
    {"jsge32_imm", 0x76, none, 0, jsge, 32, v3, {5, 1}, "if %D s>= %h goto %t"},
    {"rsh64_imm", 0x77, none, 0, rsh, 64, v1, {3, 18}, "%d >>= %i"},
    {"ldx_u64", 0x79, none, 0, load, 64, v1, {3, 18}, "%d = *(u64 *)(%s %o)"},
    {"st_u64", 0x7a, none, 0, store, 64, v1, {3, 18}, "*(u64 *)(%d %o) = %i"},
    {"stx_u64", 0x7b, none, 0, store, 64, v1, {3, 18}, "*(u64 *)(%d %o) = %s"},
    {"rsh32_reg", 0x7c, none, 0, rsh, 32, v3, {3, 18}, "%D >>= %S"},
    {"jsge64_reg", 0x7d, none, 0, jsge, 64, v1, {3, 18}, "if %d s>= %s goto %t"},
    {"jsge32_reg", 0x7e, none, 0, jsge, 32, v3, {5, 1}, "if %D s>= %S goto %t"},
    {"rsh64_reg", 0x7f, none, 0, rsh, 64, v1, {3, 18}, "%d >>= %s"},
    {"ldx_s32", 0x81, none, 0, load_signed, 32, v4, {6, 6}, "%d = *(s32 *)(%s %o)"},
    {"neg32", 0x84, none, 0, neg, 32, v3, {3, 18}, "%D = -%D"},
    {"call", 0x85, src, 0, call, 64, v1, {3, 18}, "call %c"},
    {"call_subprogram", 0x85, src, 1, call, 64, v1, {4, 16}, "call %P", {"call %n"}},
    {"call_kfunc", 0x85, src, 2, call, 64, v1, {5, 13}, "call kfunc[btf:%i module:%O]", {"call kfunc[%n]"}},
    {"neg64", 0x87, none, 0, neg, 64, v1, {3, 18}, "%d = -%d"},
    {"ldx_s16", 0x89, none, 0, load_signed, 16, v4, {6, 6}, "%d = *(s16 *)(%s %o)"},
    {"callx", 0x8d, none, 0, callx, 64, v1, {0, 0}, "callx %d"},
    {"ldx_s8", 0x91, none, 0, load_signed, 8, v4, {6, 6}, "%d = *(s8 *)(%s %o)"},
    {"mod32_imm", 0x94, off, 0, mod, 32, v3, {3, 18}, "%D %%= %u"},
    {"smod32_imm", 0x94, off, 1, smod, 32, v4, {6, 6}, "%D s%%= %u"},
    {"exit", 0x95, none, 0, exit, 64, v1, {3, 18}, "exit"},
    {"mod64_imm", 0x97, off, 0, mod, 64, v1, {3, 18}, "%d %%= %i"},
    {"smod64_imm", 0x97, off, 1, smod, 64, v4, {6, 6}, "%d s%%= %i"},
    {"mod32_reg", 0x9c, off, 0, mod, 32, v3, {3, 18}, "%D %%= %S"},
    {"smod32_reg", 0x9c, off, 1, smod, 32, v4, {6, 6}, "%D s%%= %S"},
    {"mod64_reg", 0x9f, off, 0, mod, 64, v1, {3, 18}, "%d %%= %s"},
    {"smod64_reg", 0x9f, off, 1, smod, 64, v4, {6, 6}, "%d s%%= %s"},
    {"xor32_imm", 0xa4, none, 0, xor_, 32, v3, {3, 18}, "%D ^= %u"},
    {"jlt64_imm", 0xa5, none, 0, jlt, 64, v2, {4, 14}, "if %d < %h goto %t"},
    {"jlt32_imm", 0xa6, none, 0, jlt, 32, v3, {5, 1}, "if %D < %h goto %t"},
    {"xor64_imm", 0xa7, none, 0, xor_, 64, v1, {3, 18}, "%d ^= %i"},
    {"xor32_reg", 0xac, none, 0, xor_, 32, v3, {3, 18}, "%D ^= %S"},
    {"jlt64_reg", 0xad, none, 0, jlt, 64, v2, {4, 14}, "if %d < %s goto %t"},
    {"jlt32_reg", 0xae, none, 0, jlt, 32, v3, {5, 1}, "if %D < %S goto %t"},
    {"xor64_reg", 0xaf, none, 0, xor_, 64, v1, {3, 18}, "%d ^= %s"},
    {"mov32_imm", 0xb4, none, 0, mov, 32, v3, {3, 18}, "%D = %u"},
    {"jle64_imm", 0xb5, none, 0, jle, 64, v2, {4, 14}, "if %d <= %h goto %t"},
    {"jle32_imm", 0xb6, none, 0, jle, 32, v3, {5, 1}, "if %D <= %h goto %t"},
    {"mov64_imm", 0xb7, none, 0, mov, 64, v1, {3, 18}, "%d = %i"},
    {"mov32_reg", 0xbc, off, 0, mov, 32, v3, {3, 18}, "%D = %S"},
    {"movsx32_s8", 0xbc, off, 8, movsx, 32, v4, {6, 6}, "%D = (s8)%S"},
    {"movsx32_s16", 0xbc, off, 16, movsx, 32, v4, {6, 6}, "%D = (s16)%S"},
    {"jle64_reg", 0xbd, none, 0, jle, 64, v2, {4, 14}, "if %d <= %s goto %t"},
    {"jle32_reg", 0xbe, none, 0, jle, 32, v3, {5, 1}, "if %D <= %S goto %t"},
    {"mov64_reg", 0xbf, off, 0, mov, 64, v1, {3, 18}, "%d = %s"},
    {"addr_space_cast", 0xbf, off, 1, addr_space_cast, 64, later, {6, 9}, "%d = addr_space_cast(%s, %A, %B)"},
    {"movsx64_s8", 0xbf, off, 8, movsx, 64, v4, {6, 6}, "%d = (s8)%s"},
    {"movsx64_s16", 0xbf, off, 16, movsx, 64, v4, {6, 6}, "%d = (s16)%s"},
    {"movsx64_s32", 0xbf, off, 32, movsx, 64, v4, {6, 6}, "%d = (s32)%s"},
    {"atomic32_add", 0xc3, imm, 0, atomic_add, 32, v1, {3, 18}, "lock *(u32 *)(%d %o) += %s",
     {"lock *(u32 *)(%d %o) += %S"}},
    {"atomic32_fetch_add", 0xc3, imm, 1, fetch_add, 32, v3, {5, 12}, "%s = atomic_fetch_add((u32 *)(%d %o), %s)",
     {"%S = atomic_fetch_add((u32 *)(%d %o), %S)"}},
    {"atomic32_or", 0xc3, imm, 0x40, atomic_or, 32, v3, {5, 12}, "lock *(u32 *)(%d %o) |= %s",
     {"lock *(u32 *)(%d %o) |= %S"}},
    {"atomic32_fetch_or", 0xc3, imm, 0x41, fetch_or, 32, v3, {5, 12}, "%s = atomic_fetch_or((u32 *)(%d %o), %s)",
     {"%S = atomic_fetch_or((u32 *)(%d %o), %S)"}},
    {"atomic32_and", 0xc3, imm, 0x50, atomic_and, 32, v3, {5, 12}, "lock *(u32 *)(%d %o) &= %s",
     {"lock *(u32 *)(%d %o) &= %S"}},
    {"atomic32_fetch_and", 0xc3, imm, 0x51, fetch_and, 32, v3, {5, 12}, "%s = atomic_fetch_and((u32 *)(%d %o), %s)",
     {"%S = atomic_fetch_and((u32 *)(%d %o), %S)"}},
    {"atomic32_xor", 0xc3, imm, 0xa0, atomic_xor, 32, v3, {5, 12}, "lock *(u32 *)(%d %o) ^= %s",
     {"lock *(u32 *)(%d %o) ^= %S"}},
    {"atomic32_fetch_xor", 0xc3, imm, 0xa1, fetch_xor, 32, v3, {5, 12}, "%s = atomic_fetch_xor((u32 *)(%d %o), %s)",
     {"%S = atomic_fetch_xor((u32 *)(%d %o), %S)"}},
    {"atomic32_xchg", 0xc3, imm, 0xe1, xchg, 32, v3, {5, 12}, "%s = atomic_xchg((u32 *)(%d %o), %s)",
     {"%S = xchg32_32(%d %o, %S)"}},
    {"atomic32_cmpxchg", 0xc3, imm, 0xf1, cmpxchg, 32, v3, {5, 12}, "r0 = atomic_cmpxchg((u32 *)(%d %o), r0, %s)",
     {"w0 = cmpxchg32_32(%d %o, w0, %S)"}},
    {"load_acquire32", 0xc3, imm, 0x100, load_acquire, 32, v4, {6, 15}, "%d = load_acquire((u32 *)(%s %o))",
     {"%D = load_acquire((u32 *)(%s %o))"}},
    {"store_release32", 0xc3, imm, 0x110, store_release, 32, v4, {6, 15}, "store_release((u32 *)(%d %o), %s)",
     {"store_release((u32 *)(%d %o), %S)"}},
    {"arsh32_imm", 0xc4, none, 0, arsh, 32, v3, {3, 18}, "%D s>>= %u"},
    {"jslt64_imm", 0xc5, none, 0, jslt, 64, v2, {4, 14}, "if %d s< %h goto %t"},
    {"jslt32_imm", 0xc6, none, 0, jslt, 32, v3, {5, 1}, "if %D s< %h goto %t"},
    {"arsh64_imm", 0xc7, none, 0, arsh, 64, v1, {3, 18}, "%d s>>= %i"},
    {"load_acquire16", 0xcb, imm, 0x100, load_acquire, 16, v4, {6, 15}, "%d = load_acquire((u16 *)(%s %o))",
     {"%D = load_acquire((u16 *)(%s %o))"}},
    {"store_release16", 0xcb, imm, 0x110, store_release, 16, v4, {6, 15}, "store_release((u16 *)(%d %o), %s)",
     {"store_release((u16 *)(%d %o), %S)"}},
    {"arsh32_reg", 0xcc, none, 0, arsh, 32, v3, {3, 18}, "%D s>>= %S"},
    {"jslt64_reg", 0xcd, none, 0, jslt, 64, v2, {4, 14}, "if %d s< %s goto %t"},
    {"jslt32_reg", 0xce, none, 0, jslt, 32, v3, {5, 1}, "if %D s< %S goto %t"},
    {"arsh64_reg", 0xcf, none, 0, arsh, 64, v1, {3, 18}, "%d s>>= %s"},
    {"load_acquire8", 0xd3, imm, 0x100, load_acquire, 8, v4, {6, 15}, "%d = load_acquire((u8 *)(%s %o))",
     {"%D = load_acquire((u8 *)(%s %o))"}},
    {"store_release8", 0xd3, imm, 0x110, store_release, 8, v4, {6, 15}, "store_release((u8 *)(%d %o), %s)",
     {"store_release((u8 *)(%d %o), %S)"}},
    {"le16", 0xd4, imm, 16, to_le, 16, v1, {3, 18}, "%d = le16 %d"},
    {"le32", 0xd4, imm, 32, to_le, 32, v1, {3, 18}, "%d = le32 %d"},
    {"le64", 0xd4, imm, 64, to_le, 64, v1, {3, 18}, "%d = le64 %d"},
    {"jsle64_imm", 0xd5, none, 0, jsle, 64, v2, {4, 14}, "if %d s<= %h goto %t"},
    {"jsle32_imm", 0xd6, none, 0, jsle, 32, v3, {5, 1}, "if %D s<= %h goto %t"},
    {"bswap16", 0xd7, imm, 16, bswap, 16, v4, {6, 6}, "%d = bswap16 %d"},
    {"bswap32", 0xd7, imm, 32, bswap, 32, v4, {6, 6}, "%d = bswap32 %d"},
    {"bswap64", 0xd7, imm, 64, bswap, 64, v4, {6, 6}, "%d = bswap64 %d"},
    {"atomic64_add", 0xdb, imm, 0, atomic_add, 64, v1, {3, 18}, "lock *(u64 *)(%d %o) += %s"},
    {"atomic64_fetch_add", 0xdb, imm, 1, fetch_add, 64, v3, {5, 12}, "%s = atomic64_fetch_add((u64 *)(%d %o), %s)",
     {"%s = atomic_fetch_add((u64 *)(%d %o), %s)"}},
    {"atomic64_or", 0xdb, imm, 0x40, atomic_or, 64, v3, {5, 12}, "lock *(u64 *)(%d %o) |= %s"},
    {"atomic64_fetch_or", 0xdb, imm, 0x41, fetch_or, 64, v3, {5, 12}, "%s = atomic64_fetch_or((u64 *)(%d %o), %s)",
     {"%s = atomic_fetch_or((u64 *)(%d %o), %s)"}},
    {"atomic64_and", 0xdb, imm, 0x50, atomic_and, 64, v3, {5, 12}, "lock *(u64 *)(%d %o) &= %s"},
    {"atomic64_fetch_and", 0xdb, imm, 0x51, fetch_and, 64, v3, {5, 12}, "%s = atomic64_fetch_and((u64 *)(%d %o), %s)",
     {"%s = atomic_fetch_and((u64 *)(%d %o), %s)"}},
    {"atomic64_xor", 0xdb, imm, 0xa0, atomic_xor, 64, v3, {5, 12}, "lock *(u64 *)(%d %o) ^= %s"},
    {"atomic64_fetch_xor", 0xdb, imm, 0xa1, fetch_xor, 64, v3, {5, 12}, "%s = atomic64_fetch_xor((u64 *)(%d %o), %s)",
     {"%s = atomic_fetch_xor((u64 *)(%d %o), %s)"}},
    {"atomic64_xchg", 0xdb, imm, 0xe1, xchg, 64, v3, {5, 12}, "%s = atomic64_xchg((u64 *)(%d %o), %s)",
     {"%s = xchg_64(%d %o, %s)"}},
    {"atomic64_cmpxchg", 0xdb, imm, 0xf1, cmpxchg, 64, v3, {5, 12}, "r0 = atomic64_cmpxchg((u64 *)(%d %o), r0, %s)",
     {"r0 = cmpxchg_64(%d %o, r0, %s)"}},
    {"load_acquire64", 0xdb, imm, 0x100, load_acquire, 64, v4, {6, 15}, "%d = load_acquire((u64 *)(%s %o))"},
    {"store_release64", 0xdb, imm, 0x110, store_release, 64, v4, {6, 15}, "store_release((u64 *)(%d %o), %s)"},
    {"be16", 0xdc, imm, 16, to_be, 16, v1, {3, 18}, "%d = be16 %d"},
    {"be32", 0xdc, imm, 32, to_be, 32, v1, {3, 18}, "%d = be32 %d"},
    {"be64", 0xdc, imm, 64, to_be, 64, v1, {3, 18}, "%d = be64 %d"},
    {"jsle64_reg", 0xdd, none, 0, jsle, 64, v2, {4, 14}, "if %d s<= %s goto %t"},
    {"jsle32_reg", 0xde, none, 0, jsle, 32, v3, {5, 1}, "if %D s<= %S goto %t"},
    {"may_goto", 0xe5, src, 0, may_goto, 64, later, {6, 9}, "may_goto %t"},
});
// clang-format on

constexpr std::int32_t selector_value(Insn insn, Selector selector) {
  switch (selector) {
    case Selector::none: return 0;
    case Selector::src: return insn.src;
    case Selector::off: return insn.off;
    case Selector::imm: return insn.imm;
  }
  return 0;
}

// Where the rows of an opcode byte begin, and how many there are.
struct Range {
  std::uint8_t first = 0, count = 0;
};
constexpr auto kByOpcode = [] {
  std::array<Range, 256> ranges{};
  for (std::size_t i = 0; i < kOpcodes.size(); ++i) {
    Range& range = ranges[kOpcodes[i].opcode];
    if (range.count++ == 0) range.first = static_cast<std::uint8_t>(i);
  }
  return ranges;
}();

constexpr std::uint8_t field_of(char placeholder) {
  switch (placeholder) {
    case 'd': case 'D': return kDst;
    case 's': case 'S': return kSrc;
    case 'o': case 'O': case 't': return kOff;
    case 'i': case 'u': case 'h': case 'A': case 'B': case 'T': case 'P': case 'c': return kImm;
    case 'x': return kHighImm;
    case 'q': return kImm | kHighImm;
    default: return 0;  // text: %%, %l, %n
  }
}

constexpr std::uint8_t fields_of(std::string_view syntax) {
  std::uint8_t fields = 0;
  for (std::size_t i = 0; i + 1 < syntax.size(); ++i) {
    if (syntax[i] == '%') fields |= field_of(syntax[++i]);
  }
  return fields;
}

constexpr auto kFields = [] {
  std::array<std::uint8_t, kOpcodes.size()> fields{};
  for (std::size_t i = 0; i < kOpcodes.size(); ++i) fields[i] = fields_of(kOpcodes[i].syntax);
  return fields;
}();

// ---- what the compiler checks ----

consteval bool ordered_and_unique() {
  for (std::size_t i = 1; i < kOpcodes.size(); ++i) {
    const OpcodeRow &a = kOpcodes[i - 1], &b = kOpcodes[i];
    if (std::pair(a.opcode, a.selected) >= std::pair(b.opcode, b.selected)) return false;
    if (a.opcode == b.opcode && (a.selector != b.selector || a.selector == Selector::none)) return false;
  }
  return true;
}
consteval bool names_unique() {
  for (std::size_t i = 0; i < kOpcodes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (kOpcodes[i].name == kOpcodes[j].name || kOpcodes[i].syntax == kOpcodes[j].syntax) return false;
    }
  }
  return true;
}
// A selector is not an operand, and only two-slot instructions have a second immediate.
consteval bool fields_consistent() {
  for (std::size_t i = 0; i < kOpcodes.size(); ++i) {
    const OpcodeRow& row = kOpcodes[i];
    std::uint8_t taken = row.selector == Selector::src   ? kSrc
                         : row.selector == Selector::off ? kOff
                         : row.selector == Selector::imm ? kImm
                                                         : 0;
    if (kFields[i] & taken) return false;
    if (row.slots() == 1 && (kFields[i] & kHighImm)) return false;
  }
  return true;
}
static_assert(kOpcodes.size() < 256);
static_assert(ordered_and_unique());
static_assert(names_unique());
static_assert(fields_consistent());

}  // namespace

std::uint8_t OpcodeRow::fields() const {
  // Rows live in the table; a row that somebody made himself is read the slow way.
  std::less<const OpcodeRow*> before;
  const OpcodeRow *begin = kOpcodes.data(), *end = begin + kOpcodes.size();
  return before(this, begin) || !before(this, end) ? fields_of(syntax) : kFields[static_cast<std::size_t>(this - begin)];
}

std::span<const OpcodeRow> opcodes() { return kOpcodes; }

std::span<const OpcodeRow> rows_of(std::uint8_t opcode) {
  return std::span(kOpcodes).subspan(kByOpcode[opcode].first, kByOpcode[opcode].count);
}

const OpcodeRow* find_row(Insn insn) {
  for (const OpcodeRow& row : rows_of(insn.opcode)) {
    if (row.selected == selector_value(insn, row.selector)) return &row;
  }
  return nullptr;
}

const OpcodeRow* find_row(std::string_view name) {
  auto row = std::ranges::find(kOpcodes, name, &OpcodeRow::name);
  return row == kOpcodes.end() ? nullptr : &*row;
}

std::string_view to_string(Class cls) {
  constexpr std::array<std::string_view, 8> names = {"ld", "ldx", "st", "stx", "alu", "jmp", "jmp32", "alu64"};
  return names[std::to_underlying(cls) & 7];
}

std::string_view to_string(IsaVersion version) {
  switch (version) {
    case v1: return "v1";
    case v2: return "v2";
    case v3: return "v3";
    case v4: return "v4";
    case later: return "later";
  }
  return "";
}

}  // namespace espy::isa
