// The kernel engine: load a linked object, attach its programs, read its maps and records.
#pragma once

#include "kernel/attach.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/features.hpp"
#include "kernel/kallsyms.hpp"
#include "kernel/kernel_btf.hpp"
#include "kernel/link.hpp"
#include "kernel/map.hpp"
#include "kernel/map_view.hpp"
#include "kernel/object.hpp"
#include "kernel/printk.hpp"
#include "kernel/program.hpp"
#include "kernel/record_source.hpp"
#include "kernel/records.hpp"
#include "kernel/version.hpp"
#include "probe/probe.hpp"
