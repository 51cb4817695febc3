// `espy trace --info`: what this machine offers to scripts, in the form that test suites of the language read.
#include <sys/utsname.h>

#include "base/text.hpp"
#include "cli/trace.hpp"
#include "espy/espy.hpp"

namespace espy::cli {
namespace {

using facts::Feature;

struct Row {
  std::string_view name;
  bool there = false;
};

std::string section(std::string_view title, const std::vector<Row>& rows) {
  std::string text = fmt::format("\n{}\n", title);
  for (const Row& row : rows) text += fmt::format("  {}: {}\n", row.name, row.there ? "yes" : "no");
  return text;
}

bool has_helper(std::string_view name) {
  const facts::HelperRow* row = facts::find_helper(name);
  return row != nullptr && kernel::running_version() >= row->since;
}

std::vector<Row> helpers() {
  std::vector<Row> rows;
  for (std::string_view name : {"probe_read", "probe_read_str", "probe_read_user", "probe_read_user_str", "probe_read_kernel", "probe_read_kernel_str",
                                "get_current_cgroup_id", "send_signal", "override_return", "ktime_get_boot_ns", "ktime_get_tai_ns", "d_path", "skb_output",
                                "get_ns_current_pid_tgid", "map_lookup_percpu_elem", "get_current_task_btf", "loop", "for_each_map_elem", "ringbuf_output"}) {
    rows.push_back({name, has_helper(fmt::format("bpf_{}", name))});
  }
  return rows;
}

}  // namespace

std::string machine_report() {
  utsname names{};
  ::uname(&names);
  std::string text = fmt::format("System\n  OS: {} {} {}\n  Arch: {}\n\nBuild\n  version: {}\n", names.sysname, names.release, names.version, names.machine, ESPY_VERSION);
  text += section("Kernel helpers", helpers());
  text += section("Kernel features", {{"btf", kernel::has_feature(Feature::vmlinux_btf)}, {"module btf", kernel::has_feature(Feature::module_btf)},
                                      {"ring buffer", kernel::has_feature(Feature::ring_buffer)}, {"Loop support", kernel::has_feature(Feature::bounded_loops)},
                                      {"bpf_loop", kernel::has_feature(Feature::bpf_loop)}, {"atomics", kernel::has_feature(Feature::atomics)},
                                      {"instruction set v4", kernel::has_feature(Feature::cpu_v4)}, {"map batch", kernel::has_feature(Feature::batch_operations)},
                                      {"attach cookies", kernel::has_feature(Feature::bpf_cookie)}, {"uprobe refcount", kernel::has_feature(Feature::uprobe_semaphore)}});
  std::vector<Row> maps;
  const facts::KernelVersion version = kernel::running_version();
  for (std::string_view name : {"hash", "lru_hash", "percpu_hash", "array", "percpu_array", "stack_trace", "perf_event_array", "ringbuf"}) {
    maps.push_back({name, version >= facts::find_map_type(name)->since});
  }
  text += section("Map types", maps);
  text += section("Probe types", {{"kprobe", kernel::has_feature(Feature::perf_kprobe)}, {"kprobe_multi", kernel::has_feature(Feature::kprobe_multi)},
                                  {"kprobe_session", kernel::has_feature(Feature::kprobe_session)}, {"uprobe_multi", kernel::has_feature(Feature::uprobe_multi)},
                                  {"fentry", kernel::has_feature(Feature::fentry)}, {"tp_btf", kernel::has_feature(Feature::tp_btf)},
                                  {"tracepoint", true}, {"perf_event", true}, {"iter", kernel::has_feature(Feature::iterators)}});
  return text;
}

}  // namespace espy::cli
