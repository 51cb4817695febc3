// Names of C++: functions of namespaces, members, overloads and templates; a USDT probe within a class.
#include <sys/sdt.h>

#include <string>

namespace shop {

struct Item {
  int price;
  long count;
};

class Basket {
 public:
  [[gnu::noinline]] long add(const Item& item, int times);
  [[gnu::noinline]] int weigh(int grams) const;

 private:
  long total_ = 1000;
};

long Basket::add(const Item& item, int times) {
  DTRACE_PROBE2(shop, added, item.price, times);
  total_ += item.price * item.count * times;
  return total_;
}

int Basket::weigh(int grams) const { return grams + static_cast<int>(total_ % 2); }

[[gnu::noinline]] int discount(int percent) {
  asm volatile("");
  return 100 - percent;
}
[[gnu::noinline]] int discount(const std::string& code) { return static_cast<int>(code.size()); }

template <class T>
[[gnu::noinline]] T twice(T value) {
  asm volatile("");
  return value + value;
}

}  // namespace shop

int main() {
  shop::Basket basket;
  long total = basket.add({.price = 5, .count = 3}, 2);
  return total + basket.weigh(500) + shop::discount(25) + shop::discount("CODE") + shop::twice(21) == 1030 + 500 + 75 + 4 + 42 ? 0 : 1;
}
