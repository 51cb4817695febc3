/* Espy's user engine for programs in C, and for whatever calls C: load an eBPF object, run its programs in this process, share
 * its maps. No privileges are needed.
 *
 *   espy_object *object = espy_load_file("filter.bpf.o", NULL, message, sizeof message);
 *   const espy_program *filter = espy_find_program(object, "filter");
 *   uint64_t verdict;
 *   if (espy_run_packet(filter, frame, frame_bytes, NULL, NULL, &verdict, message, sizeof message) == 0) ...
 *   espy_free_object(object);
 *
 * Functions that can fail return NULL or -1 and write why, as text with a final NUL, to `message` (which may be NULL). Nothing
 * prints, exits or throws. A program may be run from many threads at once, and so may maps be used. */
#ifndef ESPY_H
#define ESPY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct espy_object espy_object;     /* owns its programs */
typedef struct espy_program espy_program;
typedef struct espy_map espy_map;           /* a share of a map, which lives as long as anybody has one */
typedef struct espy_registry espy_registry; /* what programs may call beside the engine's own helpers and kfuncs */

/* How programs run. */
enum espy_tier {
  ESPY_INTERPRETER, /* each instruction and memory access checked: for programs that nobody vouches for */
  ESPY_BASELINE,    /* compiled as it stands */
  ESPY_OPTIMISED    /* compiled well */
};

/* What a function takes, one a register. */
enum espy_argument {
  ESPY_NUMBER = 1,
  ESPY_MEMORY,         /* readable memory; its size is the next argument, an ESPY_SIZE */
  ESPY_MEMORY_WRITTEN, /* the same, which the function writes */
  ESPY_SIZE,
  ESPY_CONTEXT,        /* the program's context */
  ESPY_MAP             /* a map of the program's */
};

/* Called by programs: r1 to r5, gives r0. Where arguments are checked (the interpreter), memory is as large as was said. */
typedef uint64_t (*espy_function)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

espy_registry *espy_new_registry(void);
/* `arguments` has `count` entries, at most five. Adding must be over when the first object is loaded with the registry. */
int espy_add_helper(espy_registry *registry, uint32_t number, const char *name, const enum espy_argument *arguments, size_t count,
                    espy_function function, char *message, size_t message_bytes);
/* Programs declare it `extern ... __ksym`. */
int espy_add_kfunc(espy_registry *registry, const char *name, const enum espy_argument *arguments, size_t count, espy_function function,
                   char *message, size_t message_bytes);
/* Objects that were loaded with it keep it. */
void espy_free_registry(espy_registry *registry);

struct espy_options {
  size_t bytes;                  /* sizeof(struct espy_options): what lies behind is as if it were zero */
  enum espy_tier tier;
  const espy_registry *registry; /* may be NULL */
  espy_map *const *maps;         /* used in place of the object's own of the same names */
  size_t map_count;
  int bounded;                   /* compiled programs, too, end when their budget is spent */
  int blinded;                   /* numbers of the program do not stand in machine code as they are */
};

/* `options` may be NULL: interpreted, with nothing of one's own. */
espy_object *espy_load_file(const char *path, const struct espy_options *options, char *message, size_t message_bytes);
espy_object *espy_load(const void *elf, size_t bytes, const struct espy_options *options, char *message, size_t message_bytes);
/* Its programs go with it: none may be running, or stand in a program array of an object that lives on. */
void espy_free_object(espy_object *object);

/* NULL: there is none. A NULL name asks for the first. */
const espy_program *espy_find_program(const espy_object *object, const char *name);
const char *espy_program_name(const espy_program *program);
/* NULL: there is none. To be given back with espy_free_map. */
espy_map *espy_find_map(const espy_object *object, const char *name);
void espy_free_map(espy_map *map);

/* Runs a program once. r1 is the context, which the program may read and write. A program that does what it must not ends
 * there, and the message says what, and where. */
int espy_run(const espy_program *program, void *context, size_t context_bytes, uint64_t *result, char *message, size_t message_bytes);
/* Runs a packet program (XDP, tc, socket filter) on a frame. Where `out` is not NULL, *out_bytes says how much room is there, and
 * then how much the packet has; what does not fit is cut off. */
int espy_run_packet(const espy_program *program, const void *frame, size_t frame_bytes, void *out, size_t *out_bytes, uint64_t *result,
                    char *message, size_t message_bytes);

/* Bytes of a key, and of a value: of a per-CPU map, of those of all CPUs, each rounded up to 8. */
size_t espy_map_key_bytes(const espy_map *map);
size_t espy_map_value_bytes(const espy_map *map);
/* 1: read; 0: the key is not there; -1: an error. */
int espy_map_read(const espy_map *map, const void *key, void *value, char *message, size_t message_bytes);
/* `flags`: BPF_ANY (0), BPF_NOEXIST (1), BPF_EXIST (2). */
int espy_map_write(const espy_map *map, const void *key, const void *value, uint64_t flags, char *message, size_t message_bytes);
/* 1: removed; 0: the key was not there; -1: an error. */
int espy_map_remove(const espy_map *map, const void *key, char *message, size_t message_bytes);
/* The key behind `key`, or (NULL) the first. 1: there is one; 0: that was the last; -1: an error. */
int espy_map_next(const espy_map *map, const void *key, void *next, char *message, size_t message_bytes);

#ifdef __cplusplus
}
#endif
#endif
