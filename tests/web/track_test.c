/* What track.h promises, with a real environment, a scribe and a ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/remove_tree.h"
#include "base/text.h"
#include "io/ring.h"
#include "store/audience_campaign_count.h"
#include "store/audience_contact.h"
#include "web/track.h"

#include <stdio.h>
#include <stdlib.h>

#define MIB (1ull << 20)
#define CAMPAIGN 7
#define NOW_S 1796000000u

static struct audience *audience;
static struct audience_txn *reader;
static struct meter_scribe scribe_meter;
static struct meter_worker meter;
static struct scribe *scribe;
static struct scribe_desk desk;
static struct timer_wheel wheel;
static struct ring *ring;
static struct track *track;
static char folder[256];

static void add_contact(void)
{
	struct contact contact = { .state = CONTACT_ACTIVE, .address = SLICE("a@b.example") };

	assert_int_equal(audience_begin(reader), STORE_OK);
	assert_int_equal(contact_add(reader, &contact, SLICE("a@b.example")), STORE_OK);
	assert_int_equal(audience_commit(reader), STORE_OK);
	assert_int_equal(contact.id, 1);
}

static int set_up(void **state)
{
	struct ring_params ring_params = { .entries = 8, .files = 8, .buffers = 2,
					   .buffer_size = 4096 };
	struct store_params params = { .path = folder, .map_size_max = 64 * MIB };
	const char *tmp = getenv("TMPDIR");
	struct error error = { "" };

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(folder, sizeof(folder), "%s/hikyaku-track-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	meter = (struct meter_worker){ 0 };
	audience = audience_open(&params, &error);
	if (!audience)
		fail_msg("%s", error.text);
	reader = audience_txn_open(audience);
	assert_non_null(reader);
	add_contact();
	scribe = scribe_open(audience, &scribe_meter, &error);
	ring = ring_open(&ring_params, &error);
	if (!scribe || !ring)
		fail_msg("%s", error.text);
	timer_wheel_init(&wheel, clock_mono_ns());
	scribe_desk_init(&desk, scribe, ring);
	track = track_open(&desk, &wheel, &meter);
	assert_non_null(track);
	return 0;
}

static void turn_until_idle(void)
{
	while (track_is_busy(track)) {
		ring_turn(ring, 10 * NS_PER_MS);
		scribe_desk_run(&desk);
		timer_wheel_advance(&wheel, clock_mono_ns());
	}
}

static int tear_down(void **state)
{
	(void)state;
	track_close(track);
	scribe_desk_done(&desk);
	ring_close(ring);
	scribe_close(scribe);
	audience_txn_close(reader);
	audience_close(audience);
	remove_tree(folder);
	return 0;
}

static void add(u32 at_s, enum visitor visitor)
{
	struct reaction reaction = { CAMPAIGN, 1, at_s, 0, visitor };

	track_add(track, &reaction);
}

static u64 opens(void)
{
	u64 count;

	assert_int_equal(audience_begin_read(reader), STORE_OK);
	assert_int_equal(campaign_count_get(reader, CAMPAIGN, CAMPAIGN_OPENS, 0, &count), STORE_OK);
	audience_abort(reader);
	return count;
}

static void what_was_gathered_is_kept_after_a_moment(void **state)
{
	u64 began_ns = clock_mono_ns();

	(void)state;
	add(NOW_S, VISITOR_PERSON);
	add(NOW_S + 100, VISITOR_PERSON);
	assert_true(track_is_busy(track));
	turn_until_idle();
	assert_true(clock_mono_ns() - began_ns >= TRACK_PATIENCE_NS / 2);
	assert_int_equal(opens(), 2);
	assert_int_equal(meter.reactions_kept, 2);
	assert_int_equal(scribe_meter.orders, 1);
}

static void nobody_is_not_kept(void **state)
{
	(void)state;
	add(NOW_S, VISITOR_NOBODY);
	assert_false(track_is_busy(track));
}

static void a_flush_does_not_wait(void **state)
{
	u64 began_ns = clock_mono_ns();

	(void)state;
	add(NOW_S, VISITOR_PERSON);
	track_flush(track);
	while (track_is_busy(track)) {
		ring_turn(ring, 10 * NS_PER_MS);
		scribe_desk_run(&desk);
	}
	assert_int_equal(opens(), 1);
	assert_true(clock_mono_ns() - began_ns < 20 * NS_PER_S);
}

static void what_two_batches_cannot_hold_is_dropped_and_counted(void **state)
{
	(void)state;
	/* The desk is not run meanwhile: the first batch is on its way, the second one fills. */
	for (u32 i = 0; i < 2 * TRACK_BATCH + 5; i++)
		add(NOW_S + 100 * i, VISITOR_PERSON);
	assert_int_equal(meter.reactions_dropped, 5);
	turn_until_idle();
	assert_int_equal(meter.reactions_kept, 2 * TRACK_BATCH);
	assert_int_equal(opens(), 2 * TRACK_BATCH);
	add(NOW_S, VISITOR_PERSON);
	turn_until_idle();
	assert_int_equal(meter.reactions_kept, 2 * TRACK_BATCH + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_gathered_is_kept_after_a_moment, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(nobody_is_not_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_flush_does_not_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_two_batches_cannot_hold_is_dropped_and_counted, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
