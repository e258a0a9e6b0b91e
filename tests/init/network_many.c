/*
 * Keeps the network as files say, each for so long, and tells it as JSON after each: for tests in
 * guests. After a file's time its command runs, if there is one; it must end well.
 *
 * usage: network_many SECONDS (FILE COMMAND)...
 */
#include "base/clock.h"
#include "base/text.h"
#include "init/network.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static u64 now_ms(void)
{
	return clock_mono_ns() / NS_PER_MS;
}

static void run_for(struct network *network, u64 ms)
{
	u64 end = now_ms() + ms;

	while (now_ms() < end) {
		struct pollfd fd = { .fd = network_fd(network), .events = POLLIN };
		u64 next = min_u64(network_next_ms(network), end);

		poll(&fd, 1, next > now_ms() ? (int)(next - now_ms()) : 0);
		network_run(network, now_ms());
	}
}

static bool keep(struct network *network, const char *path, u64 ms, struct error *error)
{
	struct appliance appliance;
	bool done;
	json_t *json;

	if (!appliance_read(&appliance, path, error))
		return false;
	done = network_configure(network, &appliance, now_ms(), error);
	appliance_free(&appliance);
	if (!done)
		return false;
	run_for(network, ms);
	json = network_json(network, now_ms());
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(json);
	return true;
}

int main(int argc, char **argv)
{
	struct error error = { "" };
	struct network *network;
	u64 seconds;

	if (argc < 4 || !slice_to_u64(slice_of(argv[1]), &seconds))
		return 2;
	network_settings();
	network = network_new(&error);
	for (int i = 2; network && i + 1 < argc; i += 2) {
		if (!keep(network, argv[i], 1000 * seconds, &error)) {
			fprintf(stderr, "%s\n", error.text);
			return 1;
		}
		if (system(argv[i + 1]) != 0) {
			fprintf(stderr, "failed with %s: %s\n", argv[i], argv[i + 1]);
			return 1;
		}
	}
	network_free(network);
	return network ? 0 : 1;
}
