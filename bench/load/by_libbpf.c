// Opens, loads and attaches an object with libbpf and ends: the least program that does so.
#include <bpf/libbpf.h>
#include <stdio.h>

int main(int argc, char **argv) {
  struct bpf_object *object = argc == 2 ? bpf_object__open(argv[1]) : NULL;
  struct bpf_program *program;
  int attached = 0;
  if (!object || bpf_object__load(object)) return 1;
  bpf_object__for_each_program(program, object) {
    if (!bpf_program__attach(program)) return 1;
    ++attached;
  }
  printf("%d\n", attached);
  return 0;
}
