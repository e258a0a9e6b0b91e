/* What queue.h promises about suppressed addresses. */
#include "store/fixture.h"

#include <stdio.h>

static struct queue_suppression of(const char *scope, const char *address)
{
	return (struct queue_suppression){ .is_active = true,
					   .scope = slice_of(scope),
					   .address = slice_of(address) };
}

static void one_comes_back_as_it_was_put(void **state)
{
	struct fixture *f = *state;
	struct queue_suppression s = of("a.example", "ann@x.test");
	struct queue_suppression back;
	char texts[SUPPRESSION_EVENTS_MAX][300];

	s.soft = 65535;
	s.strikes = 2;
	s.struck_ms = 1ull << 50;
	s.event_count = SUPPRESSION_EVENTS_MAX;
	for (u32 i = 0; i < SUPPRESSION_EVENTS_MAX; i++) {
		memset(texts[i], 'a' + (int)i, sizeof(texts[i]));
		s.events[i] = (struct suppression_event){ .wall_ms = 1ull << (40 + i),
							  .campaign = 4000000000u + i,
							  .reason = (u8)(i % 7 + 1),
							  .text = { texts[i], i ? 300 : 0 } };
	}
	must(queue_begin(f->queue));
	must(queue_suppression_put(f->queue, &s));
	must(queue_suppression_get(f->queue, s.scope, s.address, &back));
	assert_true(back.is_active);
	assert_int_equal(back.soft, 65535);
	assert_int_equal(back.strikes, 2);
	assert_int_equal(back.struck_ms, 1ull << 50);
	must_slice(back.scope, "a.example");
	must_slice(back.address, "ann@x.test");
	assert_int_equal(back.event_count, SUPPRESSION_EVENTS_MAX);
	for (u32 i = 0; i < SUPPRESSION_EVENTS_MAX; i++) {
		assert_int_equal(back.events[i].wall_ms, s.events[i].wall_ms);
		assert_int_equal(back.events[i].campaign, s.events[i].campaign);
		assert_int_equal(back.events[i].reason, s.events[i].reason);
		/* Long texts are cut. */
		assert_int_equal(back.events[i].text.len, i ? SUPPRESSION_TEXT_MAX : 0);
		assert_memory_equal(back.events[i].text.ptr, texts[i], back.events[i].text.len);
	}
	queue_abort(f->queue);
}

static void scope_and_address_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct queue_suppression back;
	struct queue_suppression s = of("a.example", "b@x.test");

	must(queue_begin(f->queue));
	must(queue_suppression_put(f->queue, &s));
	assert_int_equal(queue_suppression_get(f->queue, SLICE_NONE, SLICE("b@x.test"), &back),
			 STORE_NOT_FOUND);
	assert_int_equal(queue_suppression_get(f->queue, SLICE("a.exampl"), SLICE("eb@x.test"),
					       &back),
			 STORE_NOT_FOUND);
	must(queue_suppression_delete(f->queue, s.scope, s.address));
	assert_int_equal(queue_suppression_get(f->queue, s.scope, s.address, &back),
			 STORE_NOT_FOUND);
	assert_int_equal(queue_suppression_delete(f->queue, s.scope, s.address), STORE_NOT_FOUND);
	queue_abort(f->queue);
}

static void all_are_walked_through_once(void **state)
{
	struct fixture *f = *state;
	u8 cursor[SUPPRESSION_CURSOR_SIZE];
	struct queue_suppression s;
	bool began = false;
	u32 seen[500] = { 0 };
	u32 number;
	char text[64];

	must(queue_begin(f->queue));
	for (u32 i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "u%u@x.test", i);
		s = of(i % 2 ? "a.example" : "", text);
		must(queue_suppression_put(f->queue, &s));
	}
	while (queue_suppression_next(f->queue, cursor, &began, &s) == STORE_OK) {
		slice_copy(text, sizeof(text), s.address);
		assert_int_equal(sscanf(text, "u%u@x.test", &number), 1);
		seen[number]++;
	}
	for (u32 i = 0; i < 500; i++)
		assert_int_equal(seen[i], 1);
	queue_abort(f->queue);
}


int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(one_comes_back_as_it_was_put),
		store_test(scope_and_address_are_told_apart),
		store_test(all_are_walked_through_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
