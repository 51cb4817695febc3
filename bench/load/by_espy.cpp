// Opens, links, loads and attaches an object with the library and ends: the counterpart of by_libbpf.
#include <cstdio>

#include "espy/kernel.hpp"
#include "espy/object.hpp"

namespace {

espy::Result<std::size_t> run(const char* path) {
  auto spec = TRY(espy::object::read(path));
  auto target = TRY(espy::kernel::running_target());
  auto linked = TRY(espy::object::link(std::move(spec), target));
  auto object = TRY(espy::kernel::Object::load(std::move(linked)));
  std::vector<espy::kernel::Link> links;
  for (const espy::kernel::Program& program : object.programs()) {
    auto probe = TRY(espy::probe::probe_of(program.spec(), {}));
    links.push_back(TRY(espy::kernel::attach(object, program, probe)));
  }
  std::size_t count = links.size();
  std::printf("%zu\n", count);
  std::fflush(stdout);
  std::_Exit(0);  // as by_libbpf does: the kernel takes down what is left
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto attached = run(argv[1]);
  if (!attached) std::fprintf(stderr, "%s\n", espy::describe(attached.error()).c_str());
  return attached ? 0 : 1;
}
