// AF_XDP: frames in memory shared with the kernel (the UMEM), passed to and fro by their places, through four rings.
//   fill: places that the kernel may put frames into; rx: places where it did.
//   tx: places of frames to send; completion: places that were sent, and are ours again.
// Half of the places are for what comes in, the other half for what goes out.
#include <linux/if_xdp.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "vm/io/link.hpp"

namespace espy::vm {
namespace {

constexpr std::uint32_t kPlaces = 4096, kPlaceBytes = 4096, kRing = kPlaces / 2;

/// One of the rings: counters and entries in memory that the kernel has, too. One side produces, the other consumes.
template <typename Entry>
class Ring {
 public:
  static Result<Ring> map(int socket, const xdp_ring_offset& offsets, std::uint64_t page_offset) {
    Ring ring;
    ring.pages_ = TRY(MappedRegion::map(socket, offsets.desc + kRing * sizeof(Entry), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, page_offset));
    ring.producer_ = reinterpret_cast<std::uint32_t*>(ring.pages_.data() + offsets.producer);
    ring.consumer_ = reinterpret_cast<std::uint32_t*>(ring.pages_.data() + offsets.consumer);
    ring.entries_ = reinterpret_cast<Entry*>(ring.pages_.data() + offsets.desc);
    return ring;
  }
  bool put(const Entry& entry) {
    const std::uint32_t at = own(producer_);
    if (at - theirs(consumer_) == kRing) return false;
    entries_[at & (kRing - 1)] = entry;
    std::atomic_ref(*producer_).store(at + 1, std::memory_order_release);
    return true;
  }
  bool take(Entry& entry) {
    const std::uint32_t at = own(consumer_);
    if (at == theirs(producer_)) return false;
    entry = entries_[at & (kRing - 1)];
    std::atomic_ref(*consumer_).store(at + 1, std::memory_order_release);
    return true;
  }

 private:
  static std::uint32_t own(std::uint32_t* counter) { return std::atomic_ref(*counter).load(std::memory_order_relaxed); }
  static std::uint32_t theirs(std::uint32_t* counter) { return std::atomic_ref(*counter).load(std::memory_order_acquire); }
  MappedRegion pages_;
  std::uint32_t* producer_ = nullptr;
  std::uint32_t* consumer_ = nullptr;
  Entry* entries_ = nullptr;
};

class XdpLink final : public LiveLink {
 public:
  static Result<std::unique_ptr<LiveLink>> open(const std::string& interface, std::uint32_t queue) {
    const unsigned number = ::if_nametoindex(interface.c_str());
    if (number == 0) return fail_sys(errno, "interface `{}`", interface);
    auto link = std::make_unique<XdpLink>();
    link->socket_ = UniqueFd(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
    if (!link->socket_) return fail_sys(errno, "an AF_XDP socket");
    TRY(link->share_memory());
    TRY(link->map_rings());
    sockaddr_xdp address{};
    address.sxdp_family = AF_XDP;
    address.sxdp_ifindex = number;
    address.sxdp_queue_id = queue;
    if (::bind(link->socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return fail_sys(errno, "an AF_XDP socket on queue {} of `{}`", queue, interface);
    for (std::uint64_t i = 0; i < kRing; ++i) link->fill_.put(i * kPlaceBytes), link->free_.push_back((kRing + i) * kPlaceBytes);
    return std::unique_ptr<LiveLink>(std::move(link));
  }

  int descriptor() const override { return socket_.get(); }

  Result<std::size_t> receive(const std::function<void(Bytes)>& sink, std::size_t most) override {
    xdp_desc frame{};
    std::size_t count = 0;
    for (; count < most && received_.take(frame); ++count) {
      if (frame.addr < memory_.size() && frame.len <= memory_.size() - frame.addr) sink({memory_.data() + frame.addr, frame.len});
      fill_.put(frame.addr & ~std::uint64_t{kPlaceBytes - 1});
    }
    return count;
  }

  Result<bool> send(Bytes frame) override {
    for (std::uint64_t sent = 0; completed_.take(sent);) free_.push_back(sent);
    if (free_.empty() || frame.size() > kPlaceBytes) return false;
    const std::uint64_t place = free_.back();
    std::memcpy(memory_.data() + place, frame.data(), frame.size());
    if (!sent_.put({.addr = place, .len = static_cast<std::uint32_t>(frame.size()), .options = 0})) return false;
    free_.pop_back();
    if (::sendto(socket_.get(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) >= 0 || errno == EAGAIN || errno == EBUSY || errno == ENOBUFS || errno == ENETDOWN) return true;
    return fail_sys(errno, "send through an AF_XDP socket");
  }

  Result<std::uint64_t> lost() override {
    xdp_statistics stats{};
    socklen_t size = sizeof stats;
    if (::getsockopt(socket_.get(), SOL_XDP, XDP_STATISTICS, &stats, &size) != 0) return fail_sys(errno, "losses of an AF_XDP socket");
    return stats.rx_dropped + stats.rx_ring_full + stats.rx_fill_ring_empty_descs;
  }

 private:
  Result<void> set(int option, std::uint32_t value) {
    if (::setsockopt(socket_.get(), SOL_XDP, option, &value, sizeof value) != 0) return fail_sys(errno, "rings of an AF_XDP socket");
    return {};
  }
  Result<void> share_memory() {
    memory_ = TRY(MappedRegion::map(-1, std::size_t{kPlaces} * kPlaceBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS));
    xdp_umem_reg memory{};
    memory.addr = reinterpret_cast<std::uint64_t>(memory_.data());
    memory.len = memory_.size();
    memory.chunk_size = kPlaceBytes;
    if (::setsockopt(socket_.get(), SOL_XDP, XDP_UMEM_REG, &memory, sizeof memory) != 0) return fail_sys(errno, "memory of an AF_XDP socket");
    return {};
  }
  Result<void> map_rings() {
    for (int option : {XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING, XDP_TX_RING}) TRY(set(option, kRing));
    xdp_mmap_offsets offsets{};
    socklen_t size = sizeof offsets;
    if (::getsockopt(socket_.get(), SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &size) != 0 || size != sizeof offsets) return fail_sys(errno, "rings of an AF_XDP socket");
    fill_ = TRY(Ring<std::uint64_t>::map(socket_.get(), offsets.fr, XDP_UMEM_PGOFF_FILL_RING));
    completed_ = TRY(Ring<std::uint64_t>::map(socket_.get(), offsets.cr, XDP_UMEM_PGOFF_COMPLETION_RING));
    received_ = TRY(Ring<xdp_desc>::map(socket_.get(), offsets.rx, XDP_PGOFF_RX_RING));
    sent_ = TRY(Ring<xdp_desc>::map(socket_.get(), offsets.tx, XDP_PGOFF_TX_RING));
    return {};
  }

  MappedRegion memory_;
  UniqueFd socket_;
  Ring<std::uint64_t> fill_, completed_;
  Ring<xdp_desc> received_, sent_;
  std::vector<std::uint64_t> free_;   // places for what goes out
};

}  // namespace

Result<std::unique_ptr<LiveLink>> open_xdp_link(const std::string& interface, std::uint32_t queue) { return XdpLink::open(interface, queue); }

}  // namespace espy::vm
