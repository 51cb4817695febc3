// Box: a value on the heap that copies like a value, for trees whose nodes hold nodes.
#pragma once

#include <memory>
#include <utility>

namespace espy::trace {

/// Owns one T, never null unless moved from. Copying copies the T.
template <typename T>
class Box {
 public:
  Box(T value) : value_(std::make_unique<T>(std::move(value))) {}
  Box(const Box& other) : value_(std::make_unique<T>(*other.value_)) {}
  Box(Box&&) noexcept = default;
  Box& operator=(const Box& other) {
    if (this != &other) value_ = std::make_unique<T>(*other.value_);
    return *this;
  }
  Box& operator=(Box&&) noexcept = default;
  ~Box();  // defined below, so that T may be incomplete where a Box is a member

  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }

 private:
  std::unique_ptr<T> value_;
};

template <typename T>
Box<T>::~Box() = default;

}  // namespace espy::trace
