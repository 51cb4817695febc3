// A program of somebody else's, built against the installed library: opens an object file and names what is in it.
#include <espy/espy.hpp>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto spec = espy::object::read(argv[1]);
  if (!spec) {
    std::fprintf(stderr, "%s\n", espy::describe(spec.error()).c_str());
    return 1;
  }
  for (const auto& program : spec->programs) {
    std::printf("program %s %s\n", program.name.c_str(), espy::facts::to_string(program.type).c_str());
  }
  for (const auto& map : spec->maps) {
    std::printf("map %s %s\n", map.name.c_str(), espy::facts::to_string(map.type).c_str());
  }
}
