// Helpers that read memory which may not be there, and those on strings.
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "vm/helpers/memory.hpp"
#include "vm/helpers/table.hpp"
#include "vm/helpers/task.hpp"

namespace espy::vm {

// The kernel copies from this process's own memory, and says EFAULT where we would be killed.
bool copy_from(void* to, std::uint64_t from, std::size_t size) {
  iovec local{to, size}, remote{pointer<void>(from), size};
  return ::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

// A page at most at a time: what follows the string may not be mapped.
long copy_string_from(char* to, std::size_t size, std::uint64_t from) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  for (std::uint64_t done = 0; done < size;) {
    const std::uint64_t piece = std::min<std::uint64_t>(size - done, page - (from + done) % page);
    if (!copy_from(to + done, from + done, piece)) return to[0] = '\0', -EFAULT;
    if (const void* end = std::memchr(to + done, 0, piece)) return static_cast<const char*>(end) - to + 1;
    done += piece;
  }
  to[size - 1] = '\0';
  return static_cast<long>(size);
}

namespace {

std::uint64_t read(std::uint64_t to, std::uint64_t size, std::uint64_t from, std::uint64_t, std::uint64_t) {
  if (size == 0) return 0;
  if (copy_from(pointer<void>(to), from, size)) return 0;
  std::memset(pointer<void>(to), 0, size);
  return result(-EFAULT);
}

std::uint64_t read_string(std::uint64_t to, std::uint64_t size, std::uint64_t from, std::uint64_t, std::uint64_t) {
  return size == 0 ? 0 : result(copy_string_from(pointer<char>(to), size, from));
}

std::uint64_t compare(std::uint64_t text, std::uint64_t size, std::uint64_t other, std::uint64_t, std::uint64_t) {
  return result(std::strncmp(pointer<const char>(text), pointer<const char>(other), size));
}

std::uint64_t copy_from_user(std::uint64_t to, std::uint64_t size, std::uint64_t from, std::uint64_t, std::uint64_t) { return read(to, size, from, 0, 0); }

// Other threads of this process have the same memory; other processes no task here.
std::uint64_t copy_from_task(std::uint64_t to, std::uint64_t size, std::uint64_t from, std::uint64_t task, std::uint64_t flags) {
  if (flags != 0 || !is_task(task)) {
    if (size != 0) std::memset(pointer<void>(to), 0, size);
    return result(flags != 0 ? -EINVAL : -EFAULT);
  }
  return read(to, size, from, 0, 0);
}

constexpr Helper kHelpers[] = {{148, copy_from_user}, {191, copy_from_task}, {4, read}, {45, read_string}, {112, read}, {113, read}, {114, read_string}, {115, read_string}, {182, compare}};

}  // namespace

std::span<const Helper> memory_helpers() { return kHelpers; }

}  // namespace espy::vm
