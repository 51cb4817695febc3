// C structures, unions and what they are made of, as text and JSON, by their BTF.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "trace/run/names.hpp"
#include "trace/types.hpp"

namespace espy::trace::run {

/// `{ .pid = 1, .comm = sh, .flags = [1,2] }`: all members, bit-fields and those of anonymous members too.
void append_btf_text(const BtfRef& type, Bytes value, Names& names, std::string& out);
void append_btf_json(const BtfRef& type, Bytes value, Names& names, std::string& out);

/// The name of an enum's value, of which `size` bytes count; empty: it has none.
std::string_view enumerator_name(const btf::Type& type, std::uint64_t value, std::uint32_t size);

}  // namespace espy::trace::run
