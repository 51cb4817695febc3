// Any bytes as a packet capture: its packets, or an error; and what is written again reads as the same.
#include <cstdlib>

#include "vm/io/pcap.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espy;
  auto reader = vm::PcapReader::open({reinterpret_cast<const std::byte*>(data), size});
  if (!reader) return 0;
  vm::PcapWriter writer;
  std::uint64_t count = 0;
  for (auto packet = reader->next(); packet && *packet; packet = reader->next()) writer.add(**packet), ++count;
  const std::vector<std::byte> written = writer.take();
  auto again = vm::PcapReader::open(written);
  if (!again) std::abort();
  for (std::uint64_t i = 0; i < count; ++i) {
    auto packet = again->next();
    if (!packet || !*packet) std::abort();
  }
  return 0;
}
