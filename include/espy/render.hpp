// What people and programs read: values by their BTF type as text and JSON, tables, histograms.
#pragma once

#include "render/map.hpp"
#include "render/output.hpp"
#include "render/per_cpu.hpp"
#include "render/record.hpp"
#include "render/shape.hpp"
#include "render/table.hpp"
#include "render/value.hpp"
