// What people and programs read: values by their BTF type as text and JSON, tables, histograms.
#pragma once

#include "render/table.hpp"
#include "render/value.hpp"
