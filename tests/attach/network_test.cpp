// Packets and sockets: each test in a network namespace of its own, whose loopback (or veth pair) carries the events.
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/attach/netlink.hpp"
#include "kernel/features.hpp"
#include "world.hpp"

namespace espy::attach_test {
namespace {

class Network : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "attaching to interfaces needs CAP_NET_ADMIN and CAP_BPF";
  }
};

std::optional<Object> loaded(const std::string& name, const std::vector<std::string>& programs = {}) {
  auto object = load(name, programs);
  if (!object) ADD_FAILURE() << describe(object.error());
  return object ? std::optional<Object>(std::move(*object)) : std::nullopt;
}

// Queueing disciplines of an interface, as rtnetlink lists them.
std::size_t clsacts_of(const char* interface) {
  tcmsg message{};
  message.tcm_ifindex = static_cast<int>(::if_nametoindex(interface));
  kernel::attaching::NetlinkRequest request(RTM_GETQDISC, NLM_F_DUMP, bytes_of(message));
  auto answer = kernel::attaching::netlink(request);
  std::size_t count = 0;
  if (answer)
    for (const auto& qdisc : *answer) {
      tcmsg found;
      std::memcpy(&found, qdisc.body.data(), sizeof found);
      if (found.tcm_ifindex == message.tcm_ifindex && found.tcm_parent == TC_H_CLSACT) ++count;
    }
  return count;
}

TEST_F(Network, XdpGeneric) {
  in_own_network([] {
    auto object = loaded("xdp", {"on_xdp"});
    ASSERT_TRUE(object);
    auto link = attach(*object, "on_xdp", {.text = "xdp:lo"});
    ASSERT_TRUE(link) << describe(link.error());
    EXPECT_EQ(link->where(), "xdp lo (generic)");   // the loopback has no XDP of its own
    auto second = attach(*object, "on_xdp", {.text = "xdp:lo:generic"});
    ASSERT_FALSE(second);
    EXPECT_NE(describe(second.error()).find("has an XDP program already"), std::string::npos) << describe(second.error());
    fires(*object, std::move(link), "xdp_hits", send_datagram);
  });
}

TEST_F(Network, XdpNative) {
  in_own_network([] {
    if (run("ip link add espy0 type veth peer name espy1 2>/dev/null && ip addr add 10.9.9.1/24 dev espy0 && ip link set espy0 up && ip link set espy1 up") != 0)
      GTEST_SKIP() << "no veth devices here";
    auto object = loaded("xdp", {"on_xdp"});
    ASSERT_TRUE(object);
    auto link = attach(*object, "on_xdp", {.text = "xdp:espy1:native"});
    ASSERT_TRUE(link) << describe(link.error());
    fires(*object, std::move(link), "xdp_hits", [] {
      UniqueFd socket = socket_of(AF_INET, SOCK_DGRAM);
      int on = 1;
      ::setsockopt(socket.get(), SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(9);
      ::inet_pton(AF_INET, "10.9.9.255", &address.sin_addr);
      ::sendto(socket.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&address), sizeof address);
      ::usleep(20000);   // a veth's other end receives in softirq
    });
  });
}

TEST_F(Network, XdpErrors) {
  in_own_network([] {
    auto object = loaded("xdp");
    ASSERT_TRUE(object);
    auto missing = attach(*object, "on_xdp", {.text = "xdp:eth77"});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
    EXPECT_NE(describe(missing.error()).find("no network interface `eth77`\n  hint: there are lo"), std::string::npos) << describe(missing.error());
    auto native = attach(*object, "on_xdp", {.text = "xdp:lo:native"});
    ASSERT_FALSE(native);
    EXPECT_NE(describe(native.error()).find("generic does everywhere"), std::string::npos) << describe(native.error());
    EXPECT_EQ(attach(*object, "of_devmap").error().kind, ErrorKind::unsupported);
  });
}

TEST_F(Network, TcThroughClsactLeavesNothing) {
  in_own_network([] {
    auto object = loaded("tc");
    ASSERT_TRUE(object);
    for (const char* direction : {"ingress", "egress"}) {
      auto link = attach(*object, "on_tc", {.text = std::string("clsact:lo:") + direction});
      ASSERT_TRUE(link) << describe(link.error());
      EXPECT_EQ(clsacts_of("lo"), 1U);
      fires(*object, std::move(link), "tc_hits", send_datagram);
      EXPECT_EQ(clsacts_of("lo"), 0U);
    }
    auto first = attach(*object, "on_tc", {.text = "clsact:lo:ingress"});
    auto second = attach(*object, "on_tc", {.text = "clsact:lo:egress"});
    ASSERT_TRUE(first && second);
    first->detach();
    EXPECT_EQ(clsacts_of("lo"), 1U) << "the discipline must stay while another's filter is in it";
  });
}

TEST_F(Network, TcAction) {
  in_own_network([] {
    auto object = loaded("tc");
    ASSERT_TRUE(object);
    auto link = attach(*object, "on_action", {.text = "clsact:lo:egress"});
    if (!link && !kernel::options_not_set("CONFIG_NET_ACT_BPF,CONFIG_NET_CLS_MATCHALL").empty()) {
      EXPECT_EQ(link.error().kind, ErrorKind::unsupported);
      EXPECT_NE(describe(link.error()).find("a tc action needs CONFIG_NET_ACT_BPF"), std::string::npos) << describe(link.error());
      EXPECT_EQ(clsacts_of("lo"), 0U) << "what was made for the filter is taken back";
      return;
    }
    fires(*object, std::move(link), "action_hits", send_datagram);
    EXPECT_EQ(clsacts_of("lo"), 0U);
  });
}

TEST_F(Network, Tcx) {
  in_own_network([] {
    auto object = loaded("tc");
    ASSERT_TRUE(object);
    auto link = attach(*object, "on_tc", {.text = "tcx:lo:ingress"});
    if (!link) {
      EXPECT_FALSE(since(6, 6) && kernel::options_not_set("CONFIG_NET_XGRESS").empty()) << describe(link.error());
      EXPECT_NE(describe(link.error()).find("clsact:"), std::string::npos) << describe(link.error());
      return;
    }
    fires(*object, std::move(link), "tc_hits", send_datagram);
    fires(*object, attach(*object, "on_tc", {.text = "tc:lo:egress"}), "tc_hits", send_datagram);
    EXPECT_EQ(clsacts_of("lo"), 0U);
  });
}

TEST_F(Network, NetkitIsNamedWhereItIsMissing) {
  in_own_network([] {
    auto object = loaded("tc");
    ASSERT_TRUE(object);
    auto link = attach(*object, "on_tc", {.text = "netkit:lo:primary"});
    ASSERT_FALSE(link);   // the loopback is none, wherever netkit exists
    std::string text = describe(link.error());
    EXPECT_TRUE(text.find("CONFIG_NETKIT") != std::string::npos || text.find("6.7") != std::string::npos || text.find("netkit pair") != std::string::npos) << text;
  });
}

TEST_F(Network, SocketLookup) {
  if (!since(5, 9)) GTEST_SKIP() << "sk_lookup came with 5.9";
  in_own_network([] {
    auto object = loaded("netns", {"on_lookup"});
    ASSERT_TRUE(object);
    fires(*object, attach(*object, "on_lookup"), "lookup_hits", send_datagram);
    EXPECT_EQ(attach(*object, "on_lookup", {.text = "sk_lookup:no-such-namespace"}).error().kind, ErrorKind::not_found);
  });
}

TEST_F(Network, FlowDissector) {
  if (!since(5, 8)) GTEST_SKIP() << "namespaces of their own for flow dissectors came with 5.8";
  in_own_network([] {
    auto object = loaded("netns", {"on_dissect"});
    ASSERT_TRUE(object);
    // A group of packet sockets that share by hash has every packet dissected.
    UniqueFd socket = socket_of(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    int fanout = 1 | (PACKET_FANOUT_HASH << 16);
    ASSERT_EQ(::setsockopt(socket.get(), SOL_PACKET, PACKET_FANOUT, &fanout, sizeof fanout), 0);
    auto link = attach(*object, "on_dissect");
    ASSERT_TRUE(link) << describe(link.error());
    auto second = attach(*object, "on_dissect");
    ASSERT_FALSE(second);
    EXPECT_NE(describe(second.error()).find("only one flow dissector"), std::string::npos) << describe(second.error());
    fires(*object, std::move(link), "dissect_hits", send_datagram);
  });
}

TEST_F(Network, Netfilter) {
  in_own_network([] {
    auto object = load("netfilter");
    if (!object) {
      EXPECT_FALSE(since(6, 4) && kernel::options_not_set("CONFIG_NETFILTER_BPF_LINK").empty()) << describe(object.error());
      return;
    }
    auto link = attach(*object, "on_packet", {.text = "netfilter:ipv4:output:-5"});
    ASSERT_TRUE(link) << describe(link.error());
    auto second = attach(*object, "on_packet", {.text = "netfilter:ipv4:output:-5"});
    ASSERT_FALSE(second);
    EXPECT_NE(describe(second.error()).find("priority -5"), std::string::npos) << describe(second.error());
    fires(*object, std::move(link), "netfilter_hits", send_datagram);
  });
}

TEST_F(Network, SocketFilter) {
  in_own_network([] {
    auto object = loaded("sockets", {"on_filter"});
    ASSERT_TRUE(object);
    fires(*object, attach(*object, "on_filter", {.text = "socket:lo"}), "filter_hits", send_datagram);
    fires(*object, attach(*object, "on_filter"), "filter_hits", send_datagram);
  });
}

TEST_F(Network, Reuseport) {
  in_own_network([] {
    auto object = loaded("sockets", {"on_choice"});
    ASSERT_TRUE(object);
    UniqueFd server = socket_of(AF_INET, SOCK_DGRAM);
    int on = 1;
    ::setsockopt(server.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    std::uint16_t port = bind_to_loopback(server);
    auto send = [&] {
      UniqueFd client = socket_of(AF_INET, SOCK_DGRAM);
      ASSERT_TRUE(connect_to_loopback(client, port));
      ASSERT_EQ(::send(client.get(), "x", 1, 0), 1);
    };
    fires(*object, attach(*object, "on_choice", {.text = fmt::format("sk_reuseport:udp:{}", port), .options = {.interface = {}, .cgroup = {}, .pid = ::getpid()}}),
          "reuseport_hits", send);
    auto nobody = attach(*object, "on_choice", {.text = "sk_reuseport:tcp:1"});
    ASSERT_FALSE(nobody);
    EXPECT_NE(describe(nobody.error()).find("start the server first"), std::string::npos);
  });
}

// Puts a socket into the object's sockmap. What is attached to the map then runs for it, and for the socket's life.
void put(Object& object, const UniqueFd& socket) {
  std::uint32_t slot = 0, fd = static_cast<std::uint32_t>(socket.get());
  auto updated = object.find_map("sockets")->update(bytes_of(slot), bytes_of(fd));
  EXPECT_TRUE(updated) << describe(updated.error());
}

// A connection whose sending (or receiving) end is in the map carries a few bytes.
void talk_through_map(Object& object, bool sender) {
  auto [client, server] = tcp_pair();
  ASSERT_TRUE(server);
  put(object, sender ? client : server);
  char text[8];
  ASSERT_EQ(::send(client.get(), "hello", 5, 0), 5);
  EXPECT_EQ(::recv(server.get(), text, sizeof text, 0), 5);
}

TEST_F(Network, SocketMessages) {
  in_own_network([] {
    auto object = loaded("sockmap", {"on_msg"});
    ASSERT_TRUE(object);
    auto link = attach(*object, "on_msg", {.text = "sk_msg:sockets"});
    ASSERT_TRUE(link) << describe(link.error());
    talk_through_map(*object, true);
    EXPECT_GT(number(*object, "msg_hits"), 0U);
    auto unknown = attach(*object, "on_msg", {.text = "sk_msg:nothing"});
    ASSERT_FALSE(unknown);
    EXPECT_NE(describe(unknown.error()).find("there are sockets"), std::string::npos) << describe(unknown.error());
    link->detach();
    std::uint64_t settled = number(*object, "msg_hits");
    auto [client, server] = tcp_pair();
    put(*object, client);
    ASSERT_EQ(::send(client.get(), "x", 1, 0), 1);
    EXPECT_EQ(number(*object, "msg_hits"), settled);
  });
}

TEST_F(Network, SocketStreams) {
  if (!since(5, 15)) GTEST_SKIP() << "older kernels: a single CPU locks up in the stream parser (seen on 5.10.223)";
  in_own_network([] {
    auto object = loaded("sockmap", {"on_parser", "on_verdict"});
    ASSERT_TRUE(object);
    auto parser = attach(*object, "on_parser"), verdict = attach(*object, "on_verdict");
    ASSERT_TRUE(parser && verdict) << describe((parser ? verdict : parser).error());
    talk_through_map(*object, false);
    EXPECT_GT(number(*object, "parser_hits"), 0U);
    EXPECT_GT(number(*object, "verdict_hits"), 0U);
    verdict->detach();
    auto again = attach(*object, "on_verdict");   // would be refused if the first were still there
    EXPECT_TRUE(again) << describe(again.error());
  });
}

TEST_F(Network, StructOpsOfTcp) {
  if (!since(5, 6)) GTEST_SKIP() << "struct_ops came with 5.6";
  in_own_network([] {
    struct { const char* object; const char* name; int minor; } const ways[] = {{"struct_ops", "espy_plain", 0}, {"struct_ops_link", "espy_linked", 4}};
    for (const auto& way : ways) {
      if (way.minor != 0 && !since(6, way.minor)) continue;
      auto object = loaded(way.object);
      ASSERT_TRUE(object);
      auto link = kernel::attach_struct_ops(*object, *object->spec().map_index("ops"));
      ASSERT_TRUE(link) << describe(link.error());
      std::uint64_t before = number(*object, "init_hits");
      EXPECT_TRUE(tcp_pair(way.name).second);
      EXPECT_GT(number(*object, "init_hits"), before);
      link->detach();
      EXPECT_FALSE(tcp_pair(way.name).second) << "still registered";
    }
  });
}

}  // namespace
}  // namespace espy::attach_test
