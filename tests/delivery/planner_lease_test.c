/* Lease records and their numbers, in a real queue. */
#include "store/fixture.h"

#include "base/buf.h"
#include "delivery/planner_parts.h"

#define OLD 5 /* number of the record whose lease a session holds for long */

struct desk {
	struct planner planner;
	struct fixture *f;
	struct lease leases[2];
	u32 left[BATCHES_MAX];
	u64 dead[4];
	struct row_ref refs[4];
	struct buf found;
};

static struct desk *desk_open(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	d->f = *state;
	d->planner.queue = d->f->queue;
	d->planner.batch_left = d->left;
	d->planner.dead_batches = d->dead;
	d->planner.batch_refs = d->refs;
	d->planner.batch = OLD;
	list_init(&d->planner.fresh);
	buf_init(&d->found, 4096);
	return d;
}

static void desk_close(struct desk *d)
{
	buf_done(&d->found);
	free(d);
}

/* One transaction that lends a row and is committed; what planner_hand_out then counts. */
static void lend(struct desk *d, u32 which, u32 seq)
{
	struct lease *lease = &d->leases[which];

	lease->ref = lane_ref(1, 1, seq);
	list_push_back(&d->planner.fresh, &lease->node);
	d->planner.fresh_count = 1;
	must(queue_begin(d->f->queue));
	assert_true(planner_write_leases(&d->planner));
	must(queue_commit(d->f->queue));
	list_unlink(&lease->node);
	d->left[d->planner.batch++ % BATCHES_MAX] = 1;
	d->planner.dead_batch_count = 0;
}

/* The record behind `after` has that number and holds that one row. */
static void must_hold(struct desk *d, u64 after, u64 number, u32 seq)
{
	const struct row_ref want = lane_ref(1, 1, seq);
	u64 found;
	u64 wall_ms;

	must(queue_begin(d->f->queue));
	must(queue_lease_next(d->f->queue, after, &found, &wall_ms, &d->found));
	queue_abort(d->f->queue);
	assert_int_equal(found, number);
	assert_int_equal(d->found.len, sizeof(want));
	assert_memory_equal(d->found.ptr, &want, sizeof(want));
}

static void a_number_whose_counter_is_in_use_is_passed_over(void **state)
{
	struct desk *d = desk_open(state);

	lend(d, 0, 10);
	assert_int_equal(d->leases[0].batch, OLD);
	/* So many commits later the counters have come round. */
	d->planner.batch = OLD + BATCHES_MAX;
	lend(d, 1, 11);
	assert_int_equal(d->leases[1].batch, OLD + BATCHES_MAX + 1);
	assert_int_equal(d->left[OLD], 1);
	must_hold(d, 0, OLD, 10);
	must_hold(d, OLD, OLD + BATCHES_MAX + 1, 11);
	desk_close(d);
}

static void a_record_goes_when_its_own_lease_is_settled_and_no_other_with_it(void **state)
{
	struct desk *d = desk_open(state);

	lend(d, 0, 10);
	d->planner.batch = OLD + BATCHES_MAX;
	lend(d, 1, 11);
	d->dead[d->planner.dead_batch_count++] = d->leases[0].batch;
	d->left[OLD] = 0;
	must(queue_begin(d->f->queue));
	assert_true(planner_write_leases(&d->planner));
	must(queue_commit(d->f->queue));
	must_hold(d, 0, OLD + BATCHES_MAX + 1, 11);
	desk_close(d);
}

static void a_counter_that_is_free_again_is_used_again(void **state)
{
	struct desk *d = desk_open(state);

	d->planner.batch = OLD + BATCHES_MAX;
	lend(d, 0, 10);
	assert_int_equal(d->leases[0].batch, OLD + BATCHES_MAX);
	assert_int_equal(d->left[OLD], 1);
	desk_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(a_number_whose_counter_is_in_use_is_passed_over),
		store_test(a_record_goes_when_its_own_lease_is_settled_and_no_other_with_it),
		store_test(a_counter_that_is_free_again_is_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
