#include "kernel/attach/netlink.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.hpp"

namespace espy::kernel::attaching {

namespace {

constexpr std::size_t align4(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

template <typename T>
void append(std::vector<std::byte>& to, const T& value) {
  Bytes bytes = bytes_of(value);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

// The attribute NLMSGERR_ATTR_MSG of an extended acknowledgement: the kernel's reason, in words.
std::string reason_of(Bytes after_request) {
  while (after_request.size() >= sizeof(nlattr)) {
    std::uint16_t length = load<std::uint16_t>(after_request, 0), type = load<std::uint16_t>(after_request, 2);
    if (length < sizeof(nlattr) || length > after_request.size()) break;
    if ((type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG) {
      std::string text(reinterpret_cast<const char*>(after_request.data()) + sizeof(nlattr), length - sizeof(nlattr));
      return text.substr(0, text.find('\0'));
    }
    after_request = after_request.subspan(std::min(align4(length), after_request.size()));
  }
  return {};
}

// An NLMSG_ERROR body: errno (0: done), the header of what we asked, perhaps attributes.
Result<void> read_acknowledgement(Bytes body, std::uint16_t flags) {
  if (body.size() < sizeof(std::int32_t)) return fail(ErrorKind::malformed, "rtnetlink: a short acknowledgement");
  int error = -load<std::int32_t>(body, 0);
  if (error == 0) return {};
  auto failure = fail_sys(error, "rtnetlink");
  std::size_t skip = sizeof(std::int32_t) + sizeof(nlmsghdr);
  if ((flags & NLM_F_CAPPED) == 0 && body.size() >= skip) skip += align4(load<std::uint32_t>(body, 4)) - sizeof(nlmsghdr);
  if ((flags & NLM_F_ACK_TLVS) != 0 && body.size() > skip)
    if (std::string reason = reason_of(body.subspan(skip)); !reason.empty()) failure.error().notes.push_back("the kernel says: " + reason);
  return failure;
}

}  // namespace

NetlinkRequest::NetlinkRequest(std::uint16_t type, std::uint16_t flags, Bytes fixed) {
  append(buffer_, nlmsghdr{.nlmsg_len = 0, .nlmsg_type = type, .nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags), .nlmsg_seq = 1, .nlmsg_pid = 0});
  buffer_.insert(buffer_.end(), fixed.begin(), fixed.end());
  buffer_.resize(align4(buffer_.size()));
}

NetlinkRequest& NetlinkRequest::attribute(std::uint16_t type, Bytes value) {
  append(buffer_, static_cast<std::uint16_t>(sizeof(nlattr) + value.size()));
  append(buffer_, type);
  buffer_.insert(buffer_.end(), value.begin(), value.end());
  buffer_.resize(align4(buffer_.size()));
  return *this;
}

NetlinkRequest& NetlinkRequest::text(std::uint16_t type, std::string_view value) {
  return attribute(type, bytes_of(std::string_view(std::string(value) + '\0')));
}

NetlinkRequest& NetlinkRequest::begin(std::uint16_t type) {
  open_.push_back(buffer_.size());
  append(buffer_, std::uint16_t{0});
  append(buffer_, static_cast<std::uint16_t>(type | NLA_F_NESTED));
  return *this;
}

NetlinkRequest& NetlinkRequest::end() {
  auto length = static_cast<std::uint16_t>(buffer_.size() - open_.back());
  std::memcpy(buffer_.data() + open_.back(), &length, sizeof length);
  open_.pop_back();
  return *this;
}

Bytes NetlinkRequest::bytes() {
  auto length = static_cast<std::uint32_t>(buffer_.size());
  std::memcpy(buffer_.data(), &length, sizeof length);
  return buffer_;
}

Result<std::vector<NetlinkMessage>> netlink(NetlinkRequest& request) {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return fail_sys(errno, "open rtnetlink");
  int on = 1;
  ::setsockopt(socket.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  Bytes message = request.bytes();
  if (::send(socket.get(), message.data(), message.size(), 0) < 0) return fail_sys(errno, "send to rtnetlink");
  std::vector<NetlinkMessage> answer;
  std::vector<std::byte> buffer(64 * 1024);
  for (;;) {
    ssize_t got = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_sys(errno, "receive from rtnetlink");
    Bytes rest = Bytes(buffer).first(static_cast<std::size_t>(got));
    while (rest.size() >= sizeof(nlmsghdr)) {
      nlmsghdr header;
      std::memcpy(&header, rest.data(), sizeof header);
      if (header.nlmsg_len < sizeof header || header.nlmsg_len > rest.size()) return fail(ErrorKind::malformed, "rtnetlink: a message of {} bytes", header.nlmsg_len);
      Bytes body = rest.subspan(sizeof header, header.nlmsg_len - sizeof header);
      if (header.nlmsg_type == NLMSG_DONE) return answer;
      if (header.nlmsg_type == NLMSG_ERROR) {
        TRY(read_acknowledgement(body, header.nlmsg_flags));
        return answer;
      }
      answer.push_back({header.nlmsg_type, {body.begin(), body.end()}});
      rest = rest.subspan(std::min(align4(header.nlmsg_len), rest.size()));
    }
  }
}

}  // namespace espy::kernel::attaching
