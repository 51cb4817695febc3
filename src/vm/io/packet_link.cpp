#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "vm/io/link.hpp"

namespace espy::vm {
namespace {

class PacketLink final : public LiveLink {
 public:
  explicit PacketLink(UniqueFd socket) : socket_(std::move(socket)), frame_(kMostBytes) {}
  int descriptor() const override { return socket_.get(); }

  Result<std::size_t> receive(const std::function<void(Bytes)>& sink, std::size_t most) override {
    for (std::size_t count = 0; count < most; ++count) {
      const ssize_t got = ::recv(socket_.get(), frame_.data(), frame_.size(), MSG_DONTWAIT | MSG_TRUNC);
      if (got < 0 && (errno == EAGAIN || errno == EINTR || errno == ENETDOWN)) return count;
      if (got < 0) return fail_sys(errno, "receive from a packet socket");
      sink(Bytes(frame_).first(std::min(static_cast<std::size_t>(got), frame_.size())));
    }
    return most;
  }

  Result<bool> send(Bytes frame) override {
    if (::send(socket_.get(), frame.data(), frame.size(), MSG_DONTWAIT) >= 0) return true;
    if (errno == EAGAIN || errno == ENOBUFS || errno == ENETDOWN || errno == EMSGSIZE) return false;
    return fail_sys(errno, "send through a packet socket");
  }

  Result<std::uint64_t> lost() override {
    tpacket_stats stats{};
    socklen_t size = sizeof stats;
    if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &stats, &size) != 0) return fail_sys(errno, "losses of a packet socket");
    return lost_ += stats.tp_drops;   // the kernel begins again at 0
  }

 private:
  static constexpr std::size_t kMostBytes = 1 << 18;
  UniqueFd socket_;
  std::vector<std::byte> frame_;
  std::uint64_t lost_ = 0;
};

}  // namespace

Result<std::unique_ptr<LiveLink>> open_packet_link(const std::string& interface) {
  const unsigned number = ::if_nametoindex(interface.c_str());
  if (number == 0) return fail_sys(errno, "interface `{}`", interface);
  UniqueFd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));   // nothing comes before it is bound
  if (!socket) return fail_sys(errno, "a packet socket on `{}`", interface);
  const int on = 1, room = 8 << 20;
  ::setsockopt(socket.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(number);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return fail_sys(errno, "a packet socket on `{}`", interface);
  return std::make_unique<PacketLink>(std::move(socket));
}

}  // namespace espy::vm
