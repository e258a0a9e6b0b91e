#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/spsc.h"

#include <pthread.h>
#include <sched.h>

static void *item(uintptr_t number)
{
	return (void *)number;
}

static void items_come_out_in_order(void **state)
{
	struct spsc q;

	(void)state;
	assert_true(spsc_init(&q, 4));
	assert_true(spsc_is_empty(&q));
	assert_null(spsc_pop(&q));
	for (uintptr_t i = 1; i <= 3; i++)
		assert_true(spsc_push(&q, item(i)));
	assert_false(spsc_is_empty(&q));
	for (uintptr_t i = 1; i <= 3; i++)
		assert_ptr_equal(spsc_pop(&q), item(i));
	assert_null(spsc_pop(&q));
	assert_true(spsc_is_empty(&q));
	spsc_done(&q);
}

static void a_full_queue_refuses_and_loses_nothing(void **state)
{
	struct spsc q;

	(void)state;
	for (u32 capacity = 1; capacity <= 8; capacity *= 2) {
		assert_true(spsc_init(&q, capacity));
		for (uintptr_t i = 0; i < capacity; i++)
			assert_true(spsc_push(&q, item(i + 1)));
		assert_false(spsc_push(&q, item(99)));
		assert_ptr_equal(spsc_pop(&q), item(1));
		assert_true(spsc_push(&q, item(capacity + 1)));
		assert_false(spsc_push(&q, item(99)));
		for (uintptr_t i = 1; i <= capacity; i++)
			assert_ptr_equal(spsc_pop(&q), item(i + 1));
		assert_null(spsc_pop(&q));
		spsc_done(&q);
	}
}

static void it_works_across_the_wrap_of_its_counters(void **state)
{
	struct spsc q;

	(void)state;
	assert_true(spsc_init(&q, 4));
	q.tail = q.head = q.head_seen = q.tail_seen = UINT32_MAX - 1;
	for (uintptr_t round = 0; round < 10; round++) {
		for (uintptr_t i = 1; i <= 4; i++)
			assert_true(spsc_push(&q, item(i)));
		assert_false(spsc_push(&q, item(5)));
		for (uintptr_t i = 1; i <= 4; i++)
			assert_ptr_equal(spsc_pop(&q), item(i));
		assert_true(spsc_is_empty(&q));
	}
	spsc_done(&q);
}

#define MANY 300000

struct shared {
	struct spsc queue;
	u64 values[MANY]; /* written before its address is pushed */
};

static void *write_items(void *argument)
{
	struct shared *shared = argument;

	for (u32 i = 0; i < MANY; i++) {
		shared->values[i] = i * 3ull + 1;
		while (!spsc_push(&shared->queue, &shared->values[i]))
			sched_yield();
	}
	return NULL;
}

static void what_was_written_before_a_push_is_seen_after_its_pop(void **state)
{
	static struct shared shared;
	pthread_t thread;

	(void)state;
	assert_true(spsc_init(&shared.queue, 64));
	assert_int_equal(pthread_create(&thread, NULL, write_items, &shared), 0);
	for (u32 i = 0; i < MANY; i++) {
		u64 *value;

		while (!(value = spsc_pop(&shared.queue)))
			sched_yield();
		assert_ptr_equal(value, &shared.values[i]);
		assert_int_equal(*value, i * 3ull + 1);
	}
	pthread_join(thread, NULL);
	assert_null(spsc_pop(&shared.queue));
	spsc_done(&shared.queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_out_in_order),
		cmocka_unit_test(a_full_queue_refuses_and_loses_nothing),
		cmocka_unit_test(it_works_across_the_wrap_of_its_counters),
		cmocka_unit_test(what_was_written_before_a_push_is_seen_after_its_pop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
