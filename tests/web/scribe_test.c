/* What scribe.h promises, with a real environment and a real ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/remove_tree.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "io/ring.h"
#include "web/scribe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1ull << 20)

static struct audience *audience;
static struct audience_txn *reader;
static struct scribe *scribe;
static struct meter_scribe meter;
static char folder[256];

struct note {
	struct scribe_order order;
	u32 number;
	bool spoils; /* fails as if there were no room */
	u32 applied; /* times */
	u32 done;
};

static void open_all(u64 map_size)
{
	struct store_params params = { .path = folder, .map_size_max = map_size };
	struct error error = { "" };

	audience = audience_open(&params, &error);
	if (!audience)
		fail_msg("%s", error.text);
	reader = audience_txn_open(audience);
	assert_non_null(reader);
	scribe = scribe_open(audience, &meter, &error);
	if (!scribe)
		fail_msg("%s", error.text);
}

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(folder, sizeof(folder), "%s/hikyaku-scribe-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	memset(&meter, 0, sizeof(meter));
	open_all(2 * MIB);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scribe_close(scribe);
	audience_txn_close(reader);
	audience_close(audience);
	remove_tree(folder);
	return 0;
}

static struct slice name_of(u32 number, char name[16])
{
	snprintf(name, 16, "note/%u", number);
	return slice_of(name);
}

static enum store_result apply(struct scribe_order *order, struct audience_txn *txn)
{
	static char large[4 * MIB];
	struct note *note = container_of(order, struct note, order);
	char name[16];

	note->applied++;
	if (note->spoils)
		return audience_setting_put(txn, name_of(note->number, name),
					    (struct slice){ large, sizeof(large) });
	return audience_setting_put(txn, name_of(note->number, name), SLICE("kept"));
}

static void on_done(struct scribe_order *order)
{
	container_of(order, struct note, order)->done++;
}

static struct note note_of(u32 number, bool spoils)
{
	return (struct note){ .order = { .apply = apply, .done = on_done },
			      .number = number,
			      .spoils = spoils };
}

static bool is_kept(u32 number)
{
	struct slice value;
	char name[16];
	bool kept;

	assert_int_equal(audience_begin_read(reader), STORE_OK);
	kept = audience_setting_get(reader, name_of(number, name), &value) == STORE_OK;
	audience_abort(reader);
	return kept;
}

static void who_waits_finds_it_written(void **state)
{
	struct note note = note_of(1, false);

	(void)state;
	assert_int_equal(scribe_do(scribe, &note.order), STORE_OK);
	assert_true(is_kept(1));
	assert_int_equal(note.applied, 1);
	assert_int_equal(metric_get(&meter.orders), 1);
	assert_int_equal(metric_get(&meter.commit.count), 1);
}

static void an_order_that_finds_no_room_is_told_so_and_spoils_no_other(void **state)
{
	struct ring_params params = {
		.entries = 8, .files = 4, .accepted = 1, .buffers = 1, .buffer_size = 64
	};
	struct note notes[20];
	struct scribe_desk desk;
	struct error error;
	struct ring *ring = ring_open(&params, &error);
	u32 left = array_count(notes);

	(void)state;
	assert_non_null(ring);
	scribe_desk_init(&desk, scribe, ring);
	for (u32 i = 0; i < array_count(notes); i++)
		notes[i] = note_of(i, i == 7);
	for (u32 i = 0; i < array_count(notes); i++)
		scribe_give(&desk, &notes[i].order);
	while (left > 0) {
		ring_turn(ring, NS_PER_S);
		scribe_desk_run(&desk);
		left = 0;
		for (u32 i = 0; i < array_count(notes); i++)
			left += notes[i].done == 0;
	}
	for (u32 i = 0; i < array_count(notes); i++) {
		assert_int_equal(notes[i].done, 1);
		assert_int_equal(notes[i].order.result, i == 7 ? STORE_FULL : STORE_OK);
		assert_int_equal(is_kept(i), i != 7);
	}
	assert_non_null(strstr(notes[7].order.error.text, "MDB_MAP_FULL"));
	scribe_desk_done(&desk);
	ring_close(ring);
}

static void what_was_given_is_written_though_it_is_closed(void **state)
{
	struct note notes[50];
	struct scribe_desk desk;

	(void)state;
	scribe_desk_init(&desk, scribe, NULL);
	for (u32 i = 0; i < array_count(notes); i++)
		notes[i] = note_of(i, false);
	for (u32 i = 0; i < array_count(notes); i++)
		scribe_give(&desk, &notes[i].order);
	scribe_close(scribe);
	scribe = NULL;
	for (u32 i = 0; i < array_count(notes); i++)
		assert_true(is_kept(i));
	scribe_desk_done(&desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_waits_finds_it_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_order_that_finds_no_room_is_told_so_and_spoils_no_other, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(what_was_given_is_written_though_it_is_closed,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
