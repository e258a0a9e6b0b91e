/*
 * Thousands of random operations with commits, aborts and reopening, against a plain model in
 * memory. The seed is printed on failure and can be given: queue_model_test SEED.
 */
#include "store/fixture.h"

#include "base/random.h"

#define CAMPAIGNS 3
#define DOMAINS 4
#define SEQS 40
#define DUES 6
#define IDS (CAMPAIGNS * DOMAINS * SEQS)
#define FIRST_DEFERRED IDS
#define FIRST_DOUBT (IDS + DUES * IDS)
#define PLACES (FIRST_DOUBT + IDS)
#define LEASES 12
#define STEPS 60000

/* Every place that a row can have, in the order of keys; 0: no row, else what it was made from. */
struct model {
	u32 rows[PLACES];
	u32 leases[LEASES]; /* number of refs + 1, or 0 */
	u64 log_first;
	u64 log_last;
};

struct run {
	struct fixture *f;
	struct random random;
	struct model now;
	struct model committed;
};

static u64 seed = 20261125;

static u32 pick(struct run *run, u32 bound)
{
	return (u32)random_below(&run->random, bound);
}

static struct row_ref ref_of(u32 index)
{
	struct row_ref ref = { .place = ROW_LANE };
	u32 id = index;

	if (index >= FIRST_DOUBT) {
		ref.place = ROW_DOUBT;
		id -= FIRST_DOUBT;
	} else if (index >= FIRST_DEFERRED) {
		ref.place = ROW_DEFERRED;
		id -= FIRST_DEFERRED;
		ref.due_ms = 255 + id / IDS;
	}
	id %= IDS;
	ref.id.campaign = 255 + id / (DOMAINS * SEQS);
	ref.id.domain = 65534 + id / SEQS % DOMAINS;
	ref.id.seq = 250 + id % SEQS;
	return ref;
}

/* A row whose every field follows from `made`; now and then one with values of several pages. */
static struct queue_row row_of(u32 index, u32 made, char bytes[20000])
{
	size_t len = made % 50 == 0 ? made % 20000 : made % 200;

	memset(bytes, (int)(made % 251), 20000);
	return (struct queue_row){
		.ref = ref_of(index),
		.attempts = made,
		.flags = made % 4,
		.first_ms = made * 77ull,
		.since_ms = made % 3 * 9ull + made % 2 * 68ull,
		.last_code = (u16)made,
		.address = { bytes, 1 + made % 60 },
		.values = { bytes, len },
		.host = { bytes, made % 30 },
		.reply = { bytes, made % 90 },
	};
}

static void check_row(u32 index, u32 made, const struct queue_row *got)
{
	static char bytes[20000];
	struct queue_row want = row_of(index, made, bytes);

	assert_true(row_ref_equal(&got->ref, &want.ref));
	assert_int_equal(got->attempts, want.attempts);
	assert_int_equal(got->flags, want.flags);
	assert_int_equal(got->first_ms, want.first_ms);
	assert_int_equal(got->since_ms, want.since_ms);
	assert_int_equal(got->last_code, want.last_code);
	assert_true(slice_equal(got->address, want.address));
	assert_true(slice_equal(got->values, want.values));
	assert_true(slice_equal(got->host, want.host));
	assert_true(slice_equal(got->reply, want.reply));
}

static void put_row(struct run *run)
{
	static char bytes[20000];
	u32 index = pick(run, PLACES);
	u32 made = 1 + pick(run, 1000000);
	struct queue_row row = row_of(index, made, bytes);

	must(queue_row_put(run->f->queue, &row));
	run->now.rows[index] = made;
}

static void delete_row(struct run *run)
{
	u32 index = pick(run, PLACES);
	struct row_ref ref = ref_of(index);

	must_be(run->now.rows[index] ? STORE_OK : STORE_NOT_FOUND,
		queue_row_delete(run->f->queue, &ref));
	run->now.rows[index] = 0;
}

static void get_row(struct run *run)
{
	u32 index = pick(run, PLACES);
	struct row_ref ref = ref_of(index);
	struct queue_row row;

	must_be(run->now.rows[index] ? STORE_OK : STORE_NOT_FOUND,
		queue_row_get(run->f->queue, &ref, &row));
	if (run->now.rows[index])
		check_row(index, run->now.rows[index], &row);
}

/* The model's answer to queue_row_next; PLACES when there is none. */
static u32 next_of(const struct run *run, u32 index, u64 until_ms)
{
	struct row_ref after = ref_of(index);

	for (u32 i = index + 1; i < PLACES; i++) {
		struct row_ref ref = ref_of(i);

		if (ref.place != after.place)
			break;
		if (ref.place == ROW_DEFERRED && ref.due_ms > until_ms)
			break;
		if (ref.place == ROW_LANE && (ref.id.campaign != after.id.campaign ||
					      ref.id.domain != after.id.domain))
			break;
		if (run->now.rows[i])
			return i;
	}
	return PLACES;
}

/* Walks a few rows on; on the way some are deleted, or moved with the slices they came with. */
static void walk(struct run *run)
{
	u32 index = pick(run, PLACES);
	u64 until_ms = 253 + pick(run, DUES + 2);
	struct queue_row row;

	for (u32 steps = 1 + pick(run, 30); steps > 0; steps--) {
		struct row_ref after = ref_of(index);
		u32 want = next_of(run, index, until_ms);
		u32 to = pick(run, PLACES);

		must_be(want < PLACES ? STORE_OK : STORE_NOT_FOUND,
			queue_row_next(run->f->queue, &after, until_ms, &row));
		if (want == PLACES)
			return;
		check_row(want, run->now.rows[want], &row);
		index = want;
		after = row.ref;
		if (pick(run, 3) == 0) {
			must(queue_row_delete(run->f->queue, &after));
			run->now.rows[index] = 0;
		} else if (pick(run, 3) == 0) {
			u32 made = run->now.rows[index];

			to = pick(run, 8) ? to : index;
			row.ref = ref_of(to);
			must(queue_row_move(run->f->queue, &after, &row));
			run->now.rows[index] = 0;
			run->now.rows[to] = made;
		}
	}
}

static void change_lease(struct run *run)
{
	static struct row_ref refs[600];
	u32 number = pick(run, LEASES);
	u32 count = pick(run, 600);

	if (run->now.leases[number]) {
		must(queue_lease_delete(run->f->queue, number + 1));
		run->now.leases[number] = 0;
		return;
	}
	must_be(STORE_NOT_FOUND, queue_lease_delete(run->f->queue, number + 1));
	for (u32 i = 0; i < count; i++)
		refs[i] = ref_of(i * 7919 % PLACES);
	must(queue_lease_put(run->f->queue, number + 1, count, refs, count));
	run->now.leases[number] = count + 1;
}

static void check_leases(struct run *run)
{
	u64 number = 0;
	u64 wall_ms;
	struct buf refs;

	buf_init(&refs, 600 * sizeof(struct row_ref));
	for (u32 i = 0; i < LEASES; i++) {
		u32 count = run->now.leases[i] - 1;

		if (!run->now.leases[i])
			continue;
		must(queue_lease_next(run->f->queue, number, &number, &wall_ms, &refs));
		assert_int_equal(number, i + 1);
		assert_int_equal(wall_ms, count);
		assert_int_equal(refs.len, count * sizeof(struct row_ref));
		for (u32 k = 0; k < count; k++) {
			struct row_ref want = ref_of(k * 7919 % PLACES);

			assert_memory_equal(refs.ptr + k * sizeof(want), &want, sizeof(want));
		}
	}
	must_be(STORE_NOT_FOUND,
		queue_lease_next(run->f->queue, number, &number, &wall_ms, &refs));
	buf_done(&refs);
}

static void change_log(struct run *run)
{
	struct queue_log_entry entry = { .outcome = LOG_DELIVERED, .address = SLICE("a@x.test") };
	u64 old = run->now.log_first;
	u32 limit = 1 + pick(run, 20);

	if (pick(run, 4) > 0) {
		entry.wall_ms = ++run->now.log_last;
		if (old == 0)
			run->now.log_first = 1;
		must(queue_log_add(run->f->queue, &entry));
		return;
	}
	/* Everything is old: up to `limit` go, the newest stays. */
	run->now.log_first = min_u64(old + limit, max_u64(run->now.log_last, old));
	must_be(run->now.log_first > old ? STORE_OK : STORE_NOT_FOUND,
		queue_log_trim(run->f->queue, UINT64_MAX, UINT64_MAX, limit));
}

static void check_log(struct run *run)
{
	struct queue_log_entry entry = { 0 };
	u64 count = 0;

	while (queue_log_next(run->f->queue, entry.number, &entry) == STORE_OK) {
		assert_int_equal(entry.number, run->now.log_first + count++);
		assert_int_equal(entry.wall_ms, entry.number);
	}
	assert_int_equal(count, run->now.log_last + (count > 0) - run->now.log_first);
}

static void check_all(struct run *run)
{
	struct queue_row row;

	for (u32 i = 0; i < PLACES; i++) {
		struct row_ref ref = ref_of(i);

		must_be(run->now.rows[i] ? STORE_OK : STORE_NOT_FOUND,
			queue_row_get(run->f->queue, &ref, &row));
		if (run->now.rows[i])
			check_row(i, run->now.rows[i], &row);
	}
	check_leases(run);
	check_log(run);
}

static void end_transaction(struct run *run)
{
	struct queue_stats stats;
	u64 rows = 0;

	if (pick(run, 4) == 0) {
		queue_abort(run->f->queue);
		run->now = run->committed;
	} else {
		must(queue_commit(run->f->queue));
		run->committed = run->now;
	}
	for (u32 i = 0; i < PLACES; i++)
		rows += run->committed.rows[i] != 0;
	must(queue_stats(run->f->queue, &stats));
	assert_int_equal(stats.lane_rows + stats.deferred_rows + stats.doubt_rows, rows);
	if (pick(run, 20) == 0)
		fixture_reopen(run->f);
	must(queue_begin(run->f->queue));
	if (pick(run, 10) == 0)
		check_all(run);
}

static void the_queue_does_what_a_plain_model_does(void **state)
{
	struct run *run = calloc(1, sizeof(*run));

	run->f = *state;
	random_seed(&run->random, seed);
	print_message("seed %llu\n", (unsigned long long)seed);
	must(queue_begin(run->f->queue));
	for (u32 step = 0; step < STEPS; step++) {
		u32 what = pick(run, 1000);

		if (what < 450)
			put_row(run);
		else if (what < 650)
			delete_row(run);
		else if (what < 800)
			get_row(run);
		else if (what < 900)
			walk(run);
		else if (what < 940)
			change_lease(run);
		else if (what < 990)
			change_log(run);
		else
			end_transaction(run);
	}
	check_all(run);
	queue_abort(run->f->queue);
	free(run);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		store_test(the_queue_does_what_a_plain_model_does),
	};

	if (argc > 1 && !slice_to_u64(slice_of(argv[1]), &seed))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
