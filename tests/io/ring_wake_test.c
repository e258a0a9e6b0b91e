/*
 * Two threads that sleep in their rings without a limit and pass items through a queue of a few places,
 * as planner and worker do: a wake that is lost ends in a hang, and the alarm in a failure. tests/model
 * proves the same of a model; this is the real code on this machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/spsc.h"
#include "io/ring.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#define ITEMS 20000
#define PATIENCE_S 300

struct side {
	struct pair *pair;
	struct ring *ring;
	struct random random;
	u64 sleeps; /* turns that might have waited for ever */
};

struct pair {
	struct spsc queue;
	pthread_barrier_t ready;
	struct side writer;
	struct side reader;
	u64 values[ITEMS]; /* written before its address is pushed, cleared behind the pop */
};

static void pause_somewhere(struct side *side)
{
	u32 how = random_below(&side->random, 64);

	if (how == 0)
		usleep(random_below(&side->random, 50));
	else if (how < 4)
		sched_yield();
	else
		for (volatile u32 i = random_below(&side->random, 200); i > 0; i--)
			;
}

static void open_side(struct side *side)
{
	const struct ring_params params = { .entries = 8, .files = 4, .accepted = 0, .buffers = 2,
					    .buffer_size = 64 };
	struct error error = { "" };

	side->ring = ring_open(&params, &error);
	if (!side->ring)
		fail_msg("%s", error.text);
	pthread_barrier_wait(&side->pair->ready);
}

static void close_side(struct side *side)
{
	/* The other one may still be about to wake this ring. */
	pthread_barrier_wait(&side->pair->ready);
	ring_close(side->ring);
}

static void sleep_side(struct side *side)
{
	side->sleeps++;
	ring_turn(side->ring, UINT64_MAX);
}

static void *write_items(void *argument)
{
	struct pair *pair = argument;
	struct side *side = &pair->writer;

	open_side(side);
	for (u32 i = 0; i < ITEMS; i++) {
		pair->values[i] = i * 3ull + 1;
		pause_somewhere(side);
		while (!spsc_push(&pair->queue, &pair->values[i]))
			sleep_side(side);
		pause_somewhere(side);
		ring_wake(pair->reader.ring);
	}
	close_side(side);
	return NULL;
}

/* Takes what is there, up to a few, and tells the writer that there is room. */
static u32 take_some(struct pair *pair, u32 from)
{
	struct side *side = &pair->reader;
	u32 taken = 0;
	u64 *value;

	while ((value = spsc_pop(&pair->queue))) {
		assert_ptr_equal(value, &pair->values[from + taken]);
		assert_int_equal(*value, (from + taken) * 3ull + 1);
		*value = 0;
		taken++;
		pause_somewhere(side);
	}
	if (taken > 0)
		ring_wake(pair->writer.ring);
	return taken;
}

static void pass_items(u32 capacity, u32 first_index, u64 seed)
{
	static struct pair pair;
	pthread_t thread;
	u32 got = 0;

	pair.writer = pair.reader = (struct side){ .pair = &pair };
	random_seed(&pair.writer.random, seed);
	random_seed(&pair.reader.random, seed + 1);
	assert_true(spsc_init(&pair.queue, capacity));
	pair.queue.tail = pair.queue.head = pair.queue.head_seen = pair.queue.tail_seen = first_index;
	assert_int_equal(pthread_barrier_init(&pair.ready, NULL, 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_items, &pair), 0);
	open_side(&pair.reader);
	while (got < ITEMS) {
		got += take_some(&pair, got);
		if (got < ITEMS)
			sleep_side(&pair.reader);
	}
	assert_true(spsc_is_empty(&pair.queue));
	close_side(&pair.reader);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&pair.ready);
	assert_true(pair.reader.sleeps > 0 && pair.writer.sleeps > 0);
	spsc_done(&pair.queue);
}

static void no_wake_is_lost_and_no_item_whatever_the_pace(void **state)
{
	(void)state;
	alarm(PATIENCE_S);
	for (u32 capacity = 1; capacity <= 8; capacity *= 2)
		pass_items(capacity, 0, capacity);
	alarm(0);
}

static void indices_may_wrap_meanwhile(void **state)
{
	(void)state;
	alarm(PATIENCE_S);
	for (u32 capacity = 1; capacity <= 4; capacity *= 2)
		pass_items(capacity, UINT32_MAX - ITEMS / 2, 100 + capacity);
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_wake_is_lost_and_no_item_whatever_the_pace),
		cmocka_unit_test(indices_may_wrap_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
