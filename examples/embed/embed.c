/* The user engine from C: a filter is loaded twice, interpreted and compiled; both share their maps, and ask this program for the
 * ports that it allows.
 *
 *   embed_c filter.bpf.o */
#include <espy/espy.h>
#include <stdio.h>
#include <string.h>

static uint64_t allows_port(uint64_t port, uint64_t unused2, uint64_t unused3, uint64_t unused4, uint64_t unused5)
{
	(void)unused2, (void)unused3, (void)unused4, (void)unused5;
	return port < 2000;
}

static char message[512];

static int failed(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, message);
	return 1;
}

/* A UDP packet to this port. */
static void make_frame(unsigned char frame[64], unsigned port)
{
	memset(frame, 0, 64);
	frame[12] = 8;
	frame[14] = 0x45;
	frame[23] = 17;
	frame[36] = (unsigned char)(port >> 8);
	frame[37] = (unsigned char)port;
}

static int run(const espy_program *filter, unsigned port)
{
	unsigned char frame[64];
	uint64_t verdict;

	make_frame(frame, port);
	if (espy_run_packet(filter, frame, sizeof(frame), NULL, NULL, &verdict, message, sizeof(message)) != 0)
		return -1;
	printf("port %u: %s\n", port, verdict == 2 ? "pass" : verdict == 1 ? "drop" : "?");
	return 0;
}

int main(int argc, char **argv)
{
	const enum espy_argument arguments[] = {ESPY_NUMBER};
	const uint16_t telnet = 23;
	const uint32_t drop = 1;
	uint64_t none = 0, count = 0;
	espy_map *maps[2];
	espy_object *careful, *fast;
	espy_registry *registry = espy_new_registry();
	struct espy_options options = {.bytes = sizeof(options), .registry = registry};

	if (argc != 2 || espy_add_kfunc(registry, "allows_port", arguments, 1, allows_port, message, sizeof(message)) != 0)
		return failed("usage: embed_c filter.bpf.o");
	careful = espy_load_file(argv[1], &options, message, sizeof(message));
	if (!careful)
		return failed("load");
	maps[0] = espy_find_map(careful, "blocked");
	maps[1] = espy_find_map(careful, "verdicts");
	options.tier = ESPY_OPTIMISED;
	options.maps = maps;
	options.map_count = 2;
	fast = espy_load_file(argv[1], &options, message, sizeof(message));
	if (!fast)
		return failed("load, compiled");

	if (espy_map_write(maps[0], &telnet, &none, 0, message, sizeof(message)) != 0)
		return failed("block a port");
	if (run(espy_find_program(careful, "filter"), 23) || run(espy_find_program(fast, "filter"), 23) ||
	    run(espy_find_program(fast, NULL), 53) || run(espy_find_program(fast, NULL), 4242))
		return failed("run");
	if (espy_map_read(maps[0], &telnet, &count, message, sizeof(message)) != 1)
		return failed("read");
	printf("port 23 was asked for %lu times", (unsigned long)count);
	if (espy_map_read(maps[1], &drop, &count, message, sizeof(message)) != 1)
		return failed("read");
	printf(", %lu packets were dropped\n", (unsigned long)count);

	espy_free_map(maps[0]);
	espy_free_map(maps[1]);
	espy_free_object(fast);
	espy_free_object(careful);
	espy_free_registry(registry);
	return 0;
}
