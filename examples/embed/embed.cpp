// The user engine from C++: a filter is compiled, asks this program for the ports that it allows, and runs on many threads.
//
//   embed_cpp filter.bpf.o
#include <fmt/format.h>

#include <cstring>
#include <thread>
#include <vector>

#include "espy/object.hpp"
#include "espy/vm.hpp"

namespace {

using namespace espy;

std::uint64_t allows_port(std::uint64_t port, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return port < 2000 ? 1 : 0; }

/// A UDP packet to this port.
std::vector<std::byte> frame_to(std::uint16_t port) {
  std::vector<std::byte> frame(64);
  frame[12] = std::byte{8}, frame[14] = std::byte{0x45}, frame[23] = std::byte{17};
  frame[36] = static_cast<std::byte>(port >> 8), frame[37] = static_cast<std::byte>(port);
  return frame;
}

Result<std::uint64_t> run(const vm::Program& filter, std::uint16_t port) {
  auto packet = TRY(vm::Packet::make(facts::ProgType::xdp, frame_to(port)));
  return TRY(filter.run({.packet = &packet})).value;
}

Result<void> embed(const char* path) {
  auto registry = std::make_shared<vm::Registry>();
  TRY(registry->add_kfunc("allows_port", {.returns = facts::Return::integer, .args = {facts::Argument{.kind = facts::Arg::anything}}}, allows_port));
  auto linked = TRY(object::link(TRY(object::read(path)), vm::target(registry)));
  auto object = TRY(vm::Object::load(std::move(linked), {.tier = vm::Tier::optimised, .registry = registry}));
  const vm::Program& filter = *object->find_program("filter");
  for (std::uint16_t port : {std::uint16_t{53}, std::uint16_t{4242}}) fmt::print("port {}: {}\n", port, TRY(run(filter, port)) == 2 ? "pass" : "drop");

  constexpr int kThreads = 4, kRuns = 10000;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < kRuns; ++turn) static_cast<void>(run(filter, 4242));
    });
  }
  threads.clear();
  const std::uint32_t drop = 1;
  const auto value = TRY(object->find_map("verdicts")->read(std::as_bytes(std::span(&drop, 1))));
  std::uint64_t dropped = 0;
  std::memcpy(&dropped, value->data(), sizeof dropped);
  fmt::print("{} packets were dropped, of {}\n", dropped, kThreads * kRuns + 1);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return fmt::print(stderr, "usage: embed_cpp filter.bpf.o\n"), 1;
  if (auto done = embed(argv[1]); !done) return fmt::print(stderr, "{}\n", describe(done.error())), 1;
  return 0;
}
