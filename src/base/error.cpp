#include "base/error.hpp"

#include <cerrno>
#include <cstring>

namespace espy {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_argument: return "invalid_argument";
    case ErrorKind::malformed: return "malformed";
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::permission: return "permission";
    case ErrorKind::rejected: return "rejected";
    case ErrorKind::exhausted: return "exhausted";
    case ErrorKind::exists: return "exists";
    case ErrorKind::interrupted: return "interrupted";
    case ErrorKind::io: return "io";
  }
  return "unknown";
}

ErrorKind kind_of_errno(int error_number) {
  switch (error_number) {
    case EINVAL: case E2BIG: case ENAMETOOLONG: return ErrorKind::invalid_argument;
    case ENOENT: case ENODEV: case ESRCH: case ENXIO: return ErrorKind::not_found;
    case EPERM: case EACCES: return ErrorKind::permission;
    case EOPNOTSUPP: case ENOSYS: case 524 /* the kernel's ENOTSUPP */: return ErrorKind::unsupported;
    case ENOMEM: case ENOSPC: case EMFILE: case ENFILE: return ErrorKind::exhausted;
    case EEXIST: case EBUSY: return ErrorKind::exists;
    case EINTR: return ErrorKind::interrupted;
    default: return ErrorKind::io;
  }
}

std::string errno_text(int error_number) {
  if (error_number == 524) return "Operation not supported by the kernel (ENOTSUPP)";
  char buffer[128];
  return strerror_r(error_number, buffer, sizeof buffer);
}

Error wrap(Error cause, std::string attempted) {
  Error error{.kind = cause.kind, .message = std::move(attempted), .sys = cause.sys};
  error.cause = std::make_shared<const Error>(std::move(cause));
  return error;
}

std::string one_line(const Error& error) {
  std::string text;
  for (const Error* e = &error; e != nullptr; e = e->cause.get()) {
    if (!text.empty()) text += ": ";
    if (!e->where.empty()) text += e->where + ": ";
    text += e->message;
  }
  return text;
}

std::string describe(const Error& error) {
  std::string text = "error: ";
  std::string details;
  for (const Error* e = &error; e != nullptr; e = e->cause.get()) {
    if (e != &error) text += ": ";
    text += e->message;
    if (!e->where.empty()) details += "\n  at " + e->where;
    for (const std::string& note : e->notes) details += "\n  note: " + note;
    if (!e->hint.empty()) details += "\n  hint: " + e->hint;
  }
  return text + details;
}

}  // namespace espy
