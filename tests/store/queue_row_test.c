/* What queue.h promises about rows, leases and the delivery log. */
#include "store/fixture.h"

#include "store/queue_record.h"

static void a_row_comes_back_as_it_was_put_at_every_place(void **state)
{
	struct fixture *f = *state;
	struct row_ref refs[] = {
		lane_ref(1, 2, 3),
		deferred_ref(UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX),
		doubt_ref(7, 8, 9),
	};
	struct queue_row back;

	must(queue_begin(f->queue));
	for (size_t i = 0; i < array_count(refs); i++) {
		struct queue_row row = {
			.ref = refs[i],
			.attempts = 4000000000u,
			.flags = ROW_WAS_IN_DOUBT | ROW_IN_DOUBT_NOW,
			.first_ms = 1ull << 50,
			.since_ms = (1ull << 50) - i,
			.last_code = 451,
			.address = SLICE("ann@example.test"),
			.values = SLICE("\3abc\0\1d"),
			.host = SLICE("mx.example.test"),
			.reply = SLICE("4.7.1 later"),
		};

		must(queue_row_put(f->queue, &row));
	}
	for (size_t i = 0; i < array_count(refs); i++) {
		must(queue_row_get(f->queue, &refs[i], &back));
		assert_true(row_ref_equal(&back.ref, &refs[i]));
		assert_int_equal(back.attempts, 4000000000u);
		assert_int_equal(back.flags, ROW_WAS_IN_DOUBT | ROW_IN_DOUBT_NOW);
		assert_int_equal(back.first_ms, 1ull << 50);
		assert_int_equal(back.since_ms, (1ull << 50) - i);
		assert_int_equal(back.last_code, 451);
		must_slice(back.address, "ann@example.test");
		assert_int_equal(back.values.len, 7);
		assert_memory_equal(back.values.ptr, "\3abc\0\1d", 7);
		must_slice(back.host, "mx.example.test");
		must_slice(back.reply, "4.7.1 later");
	}
	queue_abort(f->queue);
}

static void the_largest_row_fits_and_long_replies_are_cut(void **state)
{
	struct fixture *f = *state;
	static char bytes[ROW_VALUES_MAX];
	struct queue_row row = row_at(lane_ref(1, 1, 1));
	struct queue_row back;

	memset(bytes, 'v', sizeof(bytes));
	row.address = (struct slice){ bytes, ROW_ADDRESS_MAX };
	row.values = (struct slice){ bytes, ROW_VALUES_MAX };
	row.host = (struct slice){ bytes, 5000 };
	row.reply = (struct slice){ bytes, 5000 };
	must(queue_begin(f->queue));
	must(queue_row_put(f->queue, &row));
	must(queue_commit(f->queue));
	must(queue_begin(f->queue));
	must(queue_row_get(f->queue, &row.ref, &back));
	assert_int_equal(back.address.len, ROW_ADDRESS_MAX);
	assert_int_equal(back.values.len, ROW_VALUES_MAX);
	assert_int_equal(back.host.len, ROW_HOST_MAX);
	assert_int_equal(back.reply.len, ROW_REPLY_MAX);
	queue_abort(f->queue);
}

static void putting_again_overwrites(void **state)
{
	struct fixture *f = *state;
	struct queue_row row = row_at(doubt_ref(1, 1, 1));
	struct queue_row back;
	struct row_ref start = { .place = ROW_DOUBT };

	must(queue_begin(f->queue));
	must(queue_row_put(f->queue, &row));
	row.attempts = 9;
	row.reply = SLICE("a longer record than the first");
	must(queue_row_put(f->queue, &row));
	must(queue_row_next(f->queue, &start, 0, &back));
	assert_int_equal(back.attempts, 9);
	must_be(STORE_NOT_FOUND, queue_row_next(f->queue, &back.ref, 0, &back));
	queue_abort(f->queue);
}

static void a_row_that_is_gone_is_not_found_and_nothing_is_doomed(void **state)
{
	struct fixture *f = *state;
	struct queue_row row = row_at(lane_ref(1, 1, 1));
	struct queue_row back;

	must(queue_begin(f->queue));
	must_be(STORE_NOT_FOUND, queue_row_get(f->queue, &row.ref, &back));
	must_be(STORE_NOT_FOUND, queue_row_delete(f->queue, &row.ref));
	must(queue_row_put(f->queue, &row));
	must(queue_row_delete(f->queue, &row.ref));
	must_be(STORE_NOT_FOUND, queue_row_delete(f->queue, &row.ref));
	must(queue_commit(f->queue));
}

static void a_lane_is_walked_in_the_order_of_seq_and_ends_at_its_end(void **state)
{
	struct fixture *f = *state;
	/* Neighbours that a comparison of little-endian or of text would put elsewhere. */
	static const u32 seqs[] = { 1, 2, 255, 256, 257, 65535, 65536, 1u << 24, UINT32_MAX };
	struct row_ref at = lane_ref(2, 256, 0);
	struct queue_row row;

	must(queue_begin(f->queue));
	for (size_t i = array_count(seqs); i-- > 0;) {
		row = row_at(lane_ref(2, 256, seqs[i]));
		must(queue_row_put(f->queue, &row));
		row.ref.id.domain = 255;
		must(queue_row_put(f->queue, &row));
		row.ref.id.domain = 257;
		must(queue_row_put(f->queue, &row));
		row.ref = lane_ref(3, 256, seqs[i]);
		must(queue_row_put(f->queue, &row));
	}
	for (size_t i = 0; i < array_count(seqs); i++) {
		must(queue_row_next(f->queue, &at, 0, &row));
		assert_int_equal(row.ref.id.campaign, 2);
		assert_int_equal(row.ref.id.domain, 256);
		assert_int_equal(row.ref.id.seq, seqs[i]);
		at = row.ref;
	}
	must_be(STORE_NOT_FOUND, queue_row_next(f->queue, &at, 0, &row));
	queue_abort(f->queue);
}

static void a_lane_can_be_walked_while_its_rows_are_deleted(void **state)
{
	struct fixture *f = *state;
	struct row_ref at = lane_ref(1, 1, 0);
	struct queue_row row;
	u32 count = 0;

	must(queue_begin(f->queue));
	for (u32 i = 1; i <= 5000; i++) {
		row = row_at(lane_ref(1, 1, i));
		must(queue_row_put(f->queue, &row));
	}
	must(queue_commit(f->queue));
	must(queue_begin(f->queue));
	while (queue_row_next(f->queue, &at, 0, &row) == STORE_OK) {
		at = row.ref;
		assert_int_equal(at.id.seq, ++count);
		if (count % 3 != 0)
			must(queue_row_delete(f->queue, &at));
	}
	assert_int_equal(count, 5000);
	must(queue_commit(f->queue));
	must(queue_begin(f->queue));
	at.id.seq = 0;
	for (count = 0; queue_row_next(f->queue, &at, 0, &row) == STORE_OK; at = row.ref)
		assert_int_equal(row.ref.id.seq, 3 * ++count);
	assert_int_equal(count, 5000 / 3);
	queue_abort(f->queue);
}

static void deferred_rows_come_by_due_time_and_not_before_it(void **state)
{
	struct fixture *f = *state;
	struct row_ref at = { .place = ROW_DEFERRED };
	struct queue_row row;

	must(queue_begin(f->queue));
	for (u32 i = 1; i <= 100; i++) {
		row = row_at(deferred_ref(1000 - i * 7 % 101, 1 + i % 3, i, 1));
		must(queue_row_put(f->queue, &row));
	}
	for (u64 last = 0; queue_row_next(f->queue, &at, 950, &row) == STORE_OK; at = row.ref) {
		assert_true(row.ref.due_ms >= last);
		assert_true(row.ref.due_ms <= 950);
		last = row.ref.due_ms;
	}
	assert_int_equal(at.due_ms, 950);
	must(queue_row_next(f->queue, &at, 951, &row));
	assert_int_equal(row.ref.due_ms, 951);
	queue_abort(f->queue);
}

static void a_row_is_moved_with_the_slices_it_was_read_with(void **state)
{
	struct fixture *f = *state;
	struct row_ref at = lane_ref(1, 1, 0);
	struct queue_row row;
	char values[80];

	must(queue_begin(f->queue));
	for (u32 i = 1; i <= 3000; i++) {
		row = row_at(lane_ref(1, 1, i));
		memset(values, 'a' + (int)(i % 26), sizeof(values));
		row.values = (struct slice){ values, sizeof(values) };
		must(queue_row_put(f->queue, &row));
	}
	while (queue_row_next(f->queue, &at, 0, &row) == STORE_OK) {
		at = row.ref;
		row.ref = deferred_ref(5000000 - at.id.seq * 31 % 3001, 1, 1, at.id.seq);
		must(queue_row_move(f->queue, &at, &row));
	}
	must(queue_commit(f->queue));
	must(queue_begin(f->queue));
	at = (struct row_ref){ .place = ROW_DEFERRED };
	for (u32 count = 0;; count++) {
		if (queue_row_next(f->queue, &at, UINT64_MAX, &row) != STORE_OK) {
			assert_int_equal(count, 3000);
			break;
		}
		at = row.ref;
		must_slice(row.address, "ann@example.test");
		memset(values, 'a' + (int)(at.id.seq % 26), sizeof(values));
		assert_int_equal(row.values.len, sizeof(values));
		assert_memory_equal(row.values.ptr, values, sizeof(values));
	}
	queue_abort(f->queue);
}

/* ---- leases ---- */

static void a_row_that_is_moved_to_where_it_is_stays_there_and_is_written_over(void **state)
{
	struct fixture *f = *state;
	const struct row_ref refs[] = { lane_ref(1, 1, 1), deferred_ref(9, 1, 1, 1),
					doubt_ref(1, 1, 1) };
	struct queue_row row;
	struct queue_row back;

	must(queue_begin(f->queue));
	for (size_t i = 0; i < array_count(refs); i++) {
		row = row_at(refs[i]);
		must(queue_row_put(f->queue, &row));
		must(queue_row_get(f->queue, &refs[i], &row));
		row.attempts = 7;
		must(queue_row_move(f->queue, &refs[i], &row));
		must(queue_row_get(f->queue, &refs[i], &back));
		assert_int_equal(back.attempts, 7);
		must_slice(back.address, "ann@example.test");
	}
	queue_abort(f->queue);
}

static void a_row_is_moved_from_and_to_every_place_and_is_at_one_only(void **state)
{
	struct fixture *f = *state;
	const struct row_ref refs[] = { lane_ref(1, 1, 1), deferred_ref(9, 1, 1, 1),
					deferred_ref(10, 1, 1, 1), doubt_ref(1, 1, 1) };
	struct queue_row row = row_at(refs[0]);
	struct queue_row back;

	must(queue_begin(f->queue));
	must(queue_row_put(f->queue, &row));
	for (size_t from = 0; from < array_count(refs); from++) {
		for (size_t to = 0; to < array_count(refs); to++) {
			row.ref = refs[to];
			must_be(queue_row_get(f->queue, &refs[from], &back),
				queue_row_move(f->queue, &refs[from], &row));
			for (size_t i = 0; i < array_count(refs); i++)
				must_be(i == to ? STORE_OK : STORE_NOT_FOUND,
					queue_row_get(f->queue, &refs[i], &back));
			row.ref = refs[from];
			must(queue_row_move(f->queue, &refs[to], &row));
		}
		row.ref = refs[(from + 1) % array_count(refs)];
		must(queue_row_move(f->queue, &refs[from], &row));
	}
	queue_abort(f->queue);
}

static void a_lease_of_any_length_comes_back_in_order(void **state)
{
	static const u32 counts[] = { 0, 1, 90, 91, 1000, 20000 };
	struct fixture *f = *state;
	struct row_ref *refs = calloc(20000, sizeof(*refs));
	struct buf back;
	u64 number = 0;
	u64 wall_ms;

	for (u32 i = 0; i < 20000; i++) {
		refs[i] = i % 5 == 0   ? deferred_ref(i * 1000003ull, i % 3, i, i * 77)
			  : i % 5 == 1 ? doubt_ref(4, i, 2)
				       : lane_ref(1 + i / 4000, 2 + i / 3000, i);
	}
	buf_init(&back, 20000 * sizeof(*refs));
	must(queue_begin(f->queue));
	for (u32 i = array_count(counts); i-- > 0;)
		must(queue_lease_put(f->queue, 300 + i, 5000 + i, refs, counts[i]));
	must(queue_commit(f->queue));
	must(queue_begin(f->queue));
	for (u32 i = 0; i < array_count(counts); i++) {
		must(queue_lease_next(f->queue, number, &number, &wall_ms, &back));
		assert_int_equal(number, 300 + i);
		assert_int_equal(wall_ms, 5000 + i);
		assert_int_equal(back.len, counts[i] * sizeof(*refs));
		if (back.len > 0)
			assert_memory_equal(back.ptr, refs, back.len);
	}
	must_be(STORE_NOT_FOUND, queue_lease_next(f->queue, number, &number, &wall_ms, &back));
	queue_abort(f->queue);
	buf_done(&back);
	free(refs);
}

static void a_deleted_lease_is_gone_with_all_its_parts(void **state)
{
	struct fixture *f = *state;
	struct row_ref refs[500];
	struct buf back;
	u64 number;
	u64 wall_ms;

	for (u32 i = 0; i < array_count(refs); i++)
		refs[i] = lane_ref(1, i, 7);
	buf_init(&back, sizeof(refs));
	must(queue_begin(f->queue));
	for (u64 i = 1; i <= 3; i++)
		must(queue_lease_put(f->queue, i, 9, refs, array_count(refs)));
	must(queue_lease_delete(f->queue, 2));
	must_be(STORE_NOT_FOUND, queue_lease_delete(f->queue, 2));
	must(queue_lease_next(f->queue, 1, &number, &wall_ms, &back));
	assert_int_equal(number, 3);
	assert_int_equal(back.len, sizeof(refs));
	queue_abort(f->queue);
	buf_done(&back);
}

static void a_buffer_too_small_for_a_lease_is_a_failure(void **state)
{
	struct fixture *f = *state;
	struct row_ref refs[4] = { lane_ref(1, 1, 1), lane_ref(1, 1, 2) };
	struct buf back;
	u64 number;
	u64 wall_ms;

	refs[2] = refs[3] = refs[0];
	buf_init(&back, 3 * sizeof(*refs));
	must(queue_begin(f->queue));
	must(queue_lease_put(f->queue, 8, 9, refs, array_count(refs)));
	must_be(STORE_FAILED, queue_lease_next(f->queue, 0, &number, &wall_ms, &back));
	assert_non_null(strstr(queue_error_text(f->queue), "lease 8"));
	queue_abort(f->queue);
	buf_done(&back);
}

/* ---- log ---- */

static void log_add(struct queue *queue, u64 age_ms, u32 seq)
{
	struct queue_log_entry entry = {
		.wall_ms = 1ull << 41,
		.age_ms = age_ms,
		.id = { 1, 2, seq },
		.outcome = LOG_FAILED,
		.code = 550,
		.enhanced = { 5, 7, 509 }, /* some receivers have details above 255 */
		.attempts = 3,
		.elapsed_ms = 1234567,
		.address = SLICE("ann@example.test"),
		.host = SLICE("mx.example.test [192.0.2.25]"),
		.reply = SLICE("no such user"),
	};

	must(queue_log_add(queue, &entry));
}

static void log_entries_come_back_in_order_with_rising_numbers(void **state)
{
	struct fixture *f = *state;
	struct queue_log_entry entry = { 0 };
	u64 last = 0;
	u32 count = 0;

	for (u32 round = 0; round < 4; round++) {
		must(queue_begin(f->queue));
		for (u32 i = 0; i < 500; i++)
			log_add(f->queue, 7, round * 500 + i);
		if (round == 2)
			queue_abort(f->queue);
		else
			must(queue_commit(f->queue));
		if (round == 1)
			fixture_reopen(f);
	}
	must(queue_begin(f->queue));
	for (; queue_log_next(f->queue, last, &entry) == STORE_OK; count++) {
		assert_true(entry.number > last);
		last = entry.number;
		assert_int_equal(entry.id.seq, count < 1000 ? count : count + 500);
	}
	assert_int_equal(count, 1500);
	assert_int_equal(entry.wall_ms, 1ull << 41);
	assert_int_equal(entry.age_ms, 7);
	assert_int_equal(entry.outcome, LOG_FAILED);
	assert_int_equal(entry.code, 550);
	assert_int_equal(entry.enhanced[0], 5);
	assert_int_equal(entry.enhanced[1], 7);
	assert_int_equal(entry.enhanced[2], 509);
	assert_int_equal(entry.attempts, 3);
	assert_int_equal(entry.elapsed_ms, 1234567);
	must_slice(entry.address, "ann@example.test");
	must_slice(entry.host, "mx.example.test [192.0.2.25]");
	must_slice(entry.reply, "no such user");
	queue_abort(f->queue);
}

static void a_class_is_kept_and_older_entries_have_none(void **state)
{
	struct queue_log_entry entry = { .wall_ms = 5, .age_ms = 5, .outcome = LOG_FAILED,
					 .code = 599, .reply_class = LOG_CLASS_MAX };
	struct queue_log_entry back;
	u8 record[LOG_RECORD_MAX];
	size_t len = log_record_write(record, &entry);

	(void)state;
	assert_true(log_record_read((struct slice){ (char *)record, len }, &back));
	assert_int_equal(back.code, 599);
	assert_int_equal(back.reply_class, LOG_CLASS_MAX);
	/* As the bytes were before there were classes: version, outcome, 550. */
	memcpy(record, (u8[]){ 1, LOG_FAILED, 550 >> 8, 550 & 255 }, 4);
	assert_true(log_record_read((struct slice){ (char *)record, len }, &back));
	assert_int_equal(back.code, 550);
	assert_int_equal(back.reply_class, 0);
	/* What no receiver says, a damaged journal may. */
	entry.code = 60000;
	len = log_record_write(record, &entry);
	assert_true(log_record_read((struct slice){ (char *)record, len }, &back));
	assert_int_equal(back.code, 0);
	assert_int_equal(back.reply_class, LOG_CLASS_MAX);
}

static void trimming_drops_the_old_and_numbers_go_on_rising(void **state)
{
	struct fixture *f = *state;
	struct queue_log_entry entry;
	struct queue_stats stats;

	must(queue_begin(f->queue));
	for (u32 i = 1; i <= 100; i++)
		log_add(f->queue, i == 20 ? 1000000 : i, i);
	must(queue_log_trim(f->queue, 51, UINT64_MAX, 30));
	must(queue_commit(f->queue));
	must(queue_stats(f->queue, &stats));
	assert_int_equal(stats.log_rows, 71);
	must(queue_begin(f->queue));
	while (queue_log_trim(f->queue, 51, UINT64_MAX, 30) == STORE_OK)
		;
	/* A clock that was wrong once does not keep what came after it. */
	must(queue_log_next(f->queue, 0, &entry));
	assert_int_equal(entry.number, 20);
	must(queue_log_next(f->queue, 20, &entry));
	assert_int_equal(entry.number, 51);
	must(queue_log_trim(f->queue, 2000000, UINT64_MAX, 1000));
	must_be(STORE_NOT_FOUND, queue_log_trim(f->queue, 2000000, UINT64_MAX, 1000));
	must(queue_commit(f->queue));
	fixture_reopen(f);
	must(queue_begin(f->queue));
	log_add(f->queue, 5, 5);
	must(queue_log_next(f->queue, 0, &entry));
	assert_int_equal(entry.number, 100);
	must(queue_log_next(f->queue, 100, &entry));
	assert_int_equal(entry.number, 101);
	queue_abort(f->queue);
}

static void statistics_count_what_is_committed(void **state)
{
	struct fixture *f = *state;
	struct queue_row row = row_at(lane_ref(1, 1, 1));
	struct queue_stats stats;

	must(queue_begin(f->queue));
	must(queue_row_put(f->queue, &row));
	row.ref = deferred_ref(1, 1, 1, 1);
	must(queue_row_put(f->queue, &row));
	row.ref.due_ms = 2;
	must(queue_row_put(f->queue, &row));
	log_add(f->queue, 1, 1);
	must(queue_stats(f->queue, &stats));
	assert_int_equal(stats.lane_rows, 0);
	must(queue_commit(f->queue));
	must(queue_stats(f->queue, &stats));
	assert_int_equal(stats.lane_rows, 1);
	assert_int_equal(stats.deferred_rows, 2);
	assert_int_equal(stats.doubt_rows, 0);
	assert_int_equal(stats.log_rows, 1);
	assert_int_equal(stats.map_size, 4 * MIB);
	assert_true(stats.pages_used > 0 && stats.pages_used * stats.page_size < stats.map_size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(a_row_comes_back_as_it_was_put_at_every_place),
		store_test(the_largest_row_fits_and_long_replies_are_cut),
		store_test(putting_again_overwrites),
		store_test(a_row_that_is_gone_is_not_found_and_nothing_is_doomed),
		store_test(a_lane_is_walked_in_the_order_of_seq_and_ends_at_its_end),
		store_test(a_lane_can_be_walked_while_its_rows_are_deleted),
		store_test(deferred_rows_come_by_due_time_and_not_before_it),
		store_test(a_row_is_moved_with_the_slices_it_was_read_with),
		store_test(a_row_that_is_moved_to_where_it_is_stays_there_and_is_written_over),
		store_test(a_row_is_moved_from_and_to_every_place_and_is_at_one_only),
		store_test(a_lease_of_any_length_comes_back_in_order),
		store_test(a_deleted_lease_is_gone_with_all_its_parts),
		store_test(a_buffer_too_small_for_a_lease_is_a_failure),
		store_test(log_entries_come_back_in_order_with_rising_numbers),
		store_test(a_class_is_kept_and_older_entries_have_none),
		store_test(trimming_drops_the_old_and_numbers_go_on_rising),
		store_test(statistics_count_what_is_committed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
