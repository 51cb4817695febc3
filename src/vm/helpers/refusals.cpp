// Helpers that have no meaning in user space, and why: what a program is told that calls one.
#include <algorithm>
#include <array>

#include "vm/helpers/table.hpp"

namespace espy::vm {
namespace {

constexpr std::string_view kSocket = "programs here see no kernel sockets";
constexpr std::string_view kSocketMap = "maps of sockets belong to the kernel";
constexpr std::string_view kSocketHook = "socket operations and messages are decided in the kernel";
constexpr std::string_view kTunnel = "packets here pass no tunnel device of the kernel";
constexpr std::string_view kCgroup = "membership of kernel objects in cgroups is the kernel's to tell";
constexpr std::string_view kCounter = "performance counters are read through the kernel's perf events";
constexpr std::string_view kForce = "it acts on the process that runs the program";
constexpr std::string_view kHook = "there is no kernel function or system call whose arguments and result it could tell";
constexpr std::string_view kObject = "it takes an object of the kernel, which programs here cannot have";
constexpr std::string_view kFile = "kernel iterators and their files are the kernel's";
constexpr std::string_view kLoader = "loader programs run in the kernel";
constexpr std::string_view kInfrared = "infrared decoders are the kernel's";
constexpr std::string_view kCookie = "the secret behind SYN cookies is the kernel's";
constexpr std::string_view kTypes = "it prints by the kernel's own types";
constexpr std::string_view kPerCpu = "per-CPU variables are the kernel's";
constexpr std::string_view kSegments = "IPv6 segment routing is done by the kernel";

struct Refusal {
  std::uint32_t id = 0;
  std::string_view why;
};
constexpr auto kRefusals = std::to_array<Refusal>({
    {20, kTunnel}, {21, kTunnel}, {22, kCounter}, {29, kTunnel}, {30, kTunnel}, {33, kCgroup}, {36, kForce}, {37, kCgroup},
    {49, kSocket}, {52, kSocketMap}, {53, kSocketMap}, {55, kCounter}, {56, kCounter}, {57, kSocket}, {58, kHook}, {59, kSocketHook},
    {60, kSocketHook}, {61, kSocketHook}, {62, kSocketHook}, {63, kSocketHook}, {64, kSocketHook}, {66, kTunnel}, {70, kSocketMap},
    {71, kSocketHook}, {72, kSocketMap}, {73, kTunnel}, {74, kSegments}, {75, kSegments}, {76, kSegments}, {77, kInfrared},
    {78, kInfrared}, {81, kCgroup}, {82, kSocketMap}, {84, kSocket}, {85, kSocket}, {86, kSocket}, {90, kSocketHook}, {91, kSocketHook},
    {92, kInfrared}, {95, kSocket}, {96, kSocket}, {98, kSocket}, {99, kSocket}, {100, kSocket}, {101, kHook}, {102, kHook},
    {103, kHook}, {104, kHook}, {107, kSocket}, {108, kSocket}, {109, kForce}, {110, kSocket}, {111, kObject}, {116, kSocket},
    {117, kForce}, {119, kCounter}, {121, kObject}, {124, kSocket}, {126, kFile}, {127, kFile}, {128, kSocket}, {129, kSocket},
    {136, kSocket}, {137, kSocket}, {138, kSocket}, {139, kSocket}, {140, kSocket}, {142, kSocketHook}, {143, kSocketHook},
    {144, kSocketHook}, {145, kObject}, {146, kObject}, {147, kObject}, {149, kTypes}, {150, kFile}, {153, kPerCpu}, {154, kPerCpu},
    {159, kObject}, {161, kObject}, {162, kObject}, {166, kLoader}, {167, kLoader}, {168, kLoader}, {173, kHook}, {175, kObject},
    {176, kCounter}, {178, kSocket}, {179, kLoader}, {180, kObject}, {183, kHook}, {184, kHook}, {185, kHook}, {186, kHook},
    {187, kHook}, {193, kObject}, {196, kSocket}, {204, kCookie}, {205, kCookie}, {206, kCookie}, {207, kCookie}, {210, kObject}, {211, kObject},
});
static_assert(std::ranges::is_sorted(kRefusals, std::ranges::less{}, &Refusal::id));

}  // namespace

std::string_view why_no_helper(std::uint32_t id) {
  auto found = std::ranges::lower_bound(kRefusals, id, {}, &Refusal::id);
  return found != kRefusals.end() && found->id == id ? found->why : std::string_view();
}

}  // namespace espy::vm
