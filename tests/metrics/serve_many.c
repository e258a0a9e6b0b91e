/*
 * Serves the page of a registry with every counter moved on 127.0.0.1, for programs that scrape to
 * judge: `serve_many PORT NAMES`, until standard input ends.
 */
#include "base/check.h"
#include "base/clock.h"
#include "metrics/fixture.h"
#include "metrics/responder.h"

#include <stdlib.h>
#include <unistd.h>

struct input {
	struct ring_op op;
	bool ended;
};

static void on_input(struct ring_op *op, i32 result)
{
	(void)result;
	container_of(op, struct input, op)->ended = true;
}

int main(int argc, char **argv)
{
	static const struct ring_params params = { .entries = 64, .files = 128, .accepted = 96,
						   .buffers = 16, .buffer_size = 2048 };
	struct net_address at = { .family = 4, .ip = { 127, 0, 0, 1 } };
	struct input input = { .op.done = on_input };
	struct metrics *metrics = metrics_open(FIXTURE_WORKERS);
	struct error error = { "" };
	struct ring *ring = ring_open(&params, &error);
	struct timer_wheel wheel;
	struct metrics_responder *responder;

	ASSERT(argc == 3 && metrics && ring);
	at.port = (u16)strtoul(argv[1], NULL, 10);
	fixture_fill(metrics, strtoull(argv[2], NULL, 10));
	timer_wheel_init(&wheel, clock_mono_ns());
	responder = metrics_responder_open(ring, &wheel, &at, metrics, &error);
	if (!responder) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	ring_poll(ring, &input.op, STDIN_FILENO);
	printf("ready\n");
	fflush(stdout);
	while (!input.ended) {
		u64 next = timer_wheel_next(&wheel);
		u64 now = clock_mono_ns();

		ring_turn(ring, next == UINT64_MAX ? next : next > now ? next - now : 0);
		timer_wheel_advance(&wheel, clock_mono_ns());
	}
	metrics_responder_close(responder);
	ring_close(ring);
	metrics_close(metrics);
	return 0;
}
