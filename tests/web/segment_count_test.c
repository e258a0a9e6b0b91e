/* What segment_count.h promises: exact when there is time, a guess when not, a little in each turn. */
#include "store/fixture.h"

#include "base/clock.h"
#include "campaign/segment_names.h"
#include "web/call.h"
#include "web/segment_count.h"

#define CONTACTS 30000

static char folder[256];
static struct web web;
static struct segment_counted told;
static u32 told_times;

static void put_contacts(void)
{
	must(audience_begin(web.reader));
	for (u32 i = 0; i < CONTACTS; i++) {
		char address[64];
		struct contact contact = { .state = i % 4 ? CONTACT_ACTIVE : CONTACT_BOUNCED,
					   .created_ms = 1 };

		snprintf(address, sizeof(address), "user%u@x.test", i);
		contact.address = slice_of(address);
		must(contact_add(web.reader, &contact, contact.address));
	}
	must(audience_commit(web.reader));
}

static int set_up(void **state)
{
	struct store_params params = { .path = folder, .map_size_max = 256 * MIB };
	const char *tmp = getenv("TMPDIR");
	struct error error = { "" };

	(void)state;
	snprintf(folder, sizeof(folder), "%s/hikyaku-count-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	web.audience = audience_open(&params, &error);
	web.reader = web.audience ? audience_txn_open(web.audience) : NULL;
	timer_wheel_init(&web.wheel, clock_mono_ns());
	if (!web.reader)
		return -1;
	put_contacts();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	audience_txn_close(web.reader);
	audience_close(web.audience);
	remove_tree(folder);
	return 0;
}

static void on_told(void *owner, const struct segment_counted *counted)
{
	assert_ptr_equal(owner, &web);
	told = *counted;
	told_times++;
}

static struct segment_count *begin(const char *text, u32 wait_ms)
{
	static const struct time_zone utc;
	struct segment_problem problem;
	struct segment *segment = segment_of_text(slice_of(text), &segment_test_names, &problem);
	struct segment_count *count;

	assert_non_null(segment);
	told_times = 0;
	count = segment_count_begin(&web, segment, &utc, wait_ms, on_told, &web);
	assert_non_null(count);
	assert_int_equal(told_times, 0);
	return count;
}

/* A turn of the loop that sleeps until there is something to do. */
static void turn(void)
{
	u64 next_ns = timer_wheel_next(&web.wheel);
	u64 now_ns = clock_mono_ns();

	assert_true(next_ns != UINT64_MAX);
	if (next_ns > now_ns)
		usleep((useconds_t)((next_ns - now_ns) / 1000 + 1));
	timer_wheel_advance(&web.wheel, clock_mono_ns());
}

static u32 run(const char *text, u32 wait_ms)
{
	u32 turns = 0;

	if (!begin(text, wait_ms))
		return 0;
	for (; told_times == 0; turns++)
		turn();
	assert_int_equal(told_times, 1);
	assert_false(told.has_failed);
	assert_int_equal(web.wheel.running, 0);
	return turns;
}

static void with_time_it_is_exact(void **state)
{
	u32 turns = run("state = active", 60000);

	(void)state;
	assert_true(told.is_exact);
	assert_int_equal(told.count, CONTACTS - CONTACTS / 4);
	assert_int_equal(told.margin, 0);
	assert_int_equal(told.seen, CONTACTS);
	assert_int_equal(told.total, CONTACTS);
	/* Not all at once: others had their turns. */
	assert_true(turns >= 3);
}

static void at_once_there_is_a_guess(void **state)
{
	(void)state;
	assert_int_equal(run("state = active", 0), 1);
	assert_false(told.is_exact);
	assert_true(told.margin > 0 && told.margin < CONTACTS / 10);
	/* Five times the margin would be one in a million. */
	assert_in_range(told.count, CONTACTS - CONTACTS / 4 - 3 * told.margin,
			CONTACTS - CONTACTS / 4 + 3 * told.margin);
	run("nobody", 0);
	assert_int_equal(told.count, 0);
	/* None of some 2,000: fewer than one in 500 may well be. */
	assert_in_range(told.margin, 1, CONTACTS / 500);
	run("everyone", 0);
	assert_int_equal(told.count, CONTACTS);
}

static void nobody_is_told_what_nobody_waits_for(void **state)
{
	struct segment_count *count = begin("state = active", 60000);

	(void)state;
	turn();
	segment_count_drop(count);
	assert_int_equal(web.wheel.running, 0);
	assert_int_equal(web.counts, 0);
	timer_wheel_advance(&web.wheel, clock_mono_ns() + NS_PER_S);
	assert_int_equal(told_times, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_time_it_is_exact),
		cmocka_unit_test(at_once_there_is_a_guess),
		cmocka_unit_test(nobody_is_told_what_nobody_waits_for),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
