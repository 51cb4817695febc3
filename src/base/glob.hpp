// Paths by pattern. (glob(3) looks up users for `~`, which links a name service and a resolver into a static program.)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace espy {

/// Does a name match a pattern without slashes?
using NameMatcher = bool (*)(std::string_view pattern, std::string_view name);

/// Files and folders whose paths match, sorted. Wildcards (`*`, `?` and what else the matcher knows) stand for no slash, and
/// not for a dot at the start of a name. Folders that cannot be read have nothing in them.
std::vector<std::string> paths_matching(std::string_view pattern, NameMatcher matcher = glob_match);

}  // namespace espy
