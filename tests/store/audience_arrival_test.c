/* What audience_arrival.h promises. */
#include "store/audience_fixture.h"

#include "store/audience_arrival.h"

static void add(u32 day, u32 site, enum arrival_kind kind, u32 class, u64 count)
{
	must(arrival_add(txn, &(struct arrival){ day, site, kind, class, count }));
}

static void is(const struct arrival *a, u32 day, u32 site, enum arrival_kind kind, u32 class,
	       u64 count)
{
	assert_int_equal(a->day, day);
	assert_int_equal(a->site, site);
	assert_int_equal(a->kind, kind);
	assert_int_equal(a->class, class);
	assert_int_equal(a->count, count);
}

static void counts_of_one_kind_add_up_and_come_in_order(void **state)
{
	struct arrival at = { .day = 0 };

	(void)state;
	add(20001, 2, ARRIVAL_DELIVERED, 0, 1);
	add(20000, 7, ARRIVAL_BOUNCED, 3, 1);
	add(20000, 7, ARRIVAL_BOUNCED, 3, 4);
	add(20000, 7, ARRIVAL_BOUNCED, 0, 2);
	add(20000, 7, ARRIVAL_DELIVERED, 0, 90);
	add(20000, 0, ARRIVAL_COMPLAINED, 0, 1);
	must(arrival_next(txn, &at));
	is(&at, 20000, 0, ARRIVAL_COMPLAINED, 0, 1);
	must(arrival_next(txn, &at));
	is(&at, 20000, 7, ARRIVAL_DELIVERED, 0, 90);
	must(arrival_next(txn, &at));
	is(&at, 20000, 7, ARRIVAL_BOUNCED, 0, 2);
	must(arrival_next(txn, &at));
	is(&at, 20000, 7, ARRIVAL_BOUNCED, 3, 5);
	must(arrival_next(txn, &at));
	is(&at, 20001, 2, ARRIVAL_DELIVERED, 0, 1);
	assert_int_equal(arrival_next(txn, &at), STORE_NOT_FOUND);
	at = (struct arrival){ .day = 20001 };
	must(arrival_next(txn, &at));
	is(&at, 20001, 2, ARRIVAL_DELIVERED, 0, 1);
}

static void what_is_too_old_goes_and_nothing_else(void **state)
{
	const u32 today = 20500;
	struct arrival at = { .day = 0 };
	enum store_result result;
	u32 left = 0;

	(void)state;
	/* More than one call removes. */
	for (u32 site = 0; site < 2500; site++)
		add(today - ARRIVAL_DAYS, site, ARRIVAL_DELIVERED, 0, 1);
	add(today - ARRIVAL_DAYS + 1, 1, ARRIVAL_DELIVERED, 0, 1);
	add(today, 1, ARRIVAL_DELIVERED, 0, 1);
	must(arrival_sweep(txn, today));
	for (result = arrival_next(txn, &at); result == STORE_OK; left++)
		result = arrival_next(txn, &at);
	assert_int_equal(result, STORE_NOT_FOUND);
	assert_in_range(left, 3, 2501);
	must(arrival_sweep(txn, today));
	must(arrival_sweep(txn, today));
	at = (struct arrival){ .day = 0 };
	must(arrival_next(txn, &at));
	is(&at, today - ARRIVAL_DAYS + 1, 1, ARRIVAL_DELIVERED, 0, 1);
	must(arrival_next(txn, &at));
	is(&at, today, 1, ARRIVAL_DELIVERED, 0, 1);
	assert_int_equal(arrival_next(txn, &at), STORE_NOT_FOUND);
	must(arrival_sweep(txn, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		audience_writing_test(counts_of_one_kind_add_up_and_come_in_order),
		audience_writing_test(what_is_too_old_goes_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
