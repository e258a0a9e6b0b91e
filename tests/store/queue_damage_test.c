/*
 * Records that do not parse: every kind, cut at every length and with every byte changed, must be
 * an answer that names table and key, never a crash, and must not stop what is beside it.
 */
#include "store/fixture.h"

#include "store/queue_record.h"
#include "store/record.h"

#include <lmdb.h>

/* The queue's tables below its feet, as a broken program or a broken disk would reach them. */
struct raw {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
};

static struct raw raw_begin(struct fixture *f, const char *table)
{
	struct raw raw;

	queue_close(f->queue);
	f->queue = NULL;
	must_be(0, mdb_env_create(&raw.env));
	must_be(0, mdb_env_set_maxdbs(raw.env, 16));
	must_be(0, mdb_env_open(raw.env, f->path, 0, 0600));
	must_be(0, mdb_txn_begin(raw.env, NULL, 0, &raw.txn));
	must_be(0, mdb_dbi_open(raw.txn, table, 0, &raw.dbi));
	return raw;
}

static void raw_commit(struct raw *raw)
{
	must_be(0, mdb_txn_commit(raw->txn));
	mdb_env_close(raw->env);
}

static void put_raw(struct fixture *f, const char *table, struct slice key, struct slice value)
{
	struct raw raw = raw_begin(f, table);
	MDB_val k = { key.len, (void *)(uintptr_t)key.ptr };
	MDB_val v = { value.len, (void *)(uintptr_t)value.ptr };

	must_be(0, mdb_put(raw.txn, raw.dbi, &k, &v, 0));
	raw_commit(&raw);
}

static void check_raw(struct fixture *f, const char *table, struct slice key, struct slice value)
{
	struct raw raw = raw_begin(f, table);
	MDB_val k = { key.len, (void *)(uintptr_t)key.ptr };
	MDB_val v;

	must_be(0, mdb_get(raw.txn, raw.dbi, &k, &v));
	assert_int_equal(v.mv_size, value.len);
	assert_memory_equal(v.mv_data, value.ptr, value.len);
	raw_commit(&raw);
}

static void expect_failed(struct fixture *f, enum store_result result, const char *key,
			  const char *table)
{
	char text[64];

	assert_int_equal(result, STORE_FAILED);
	assert_non_null(strstr(queue_error_text(f->queue), f->path));
	snprintf(text, sizeof(text), "record %s of table '%s'", key, table);
	if (!strstr(queue_error_text(f->queue), text))
		fail_msg("\"%s\" is not in \"%s\"", text, queue_error_text(f->queue));
	/* Doomed: nothing more happens, and commit refuses. */
	must_be(STORE_FAILED, queue_setting_put(f->queue, SLICE("x"), SLICE("y")));
	must_be(STORE_FAILED, queue_commit(f->queue));
}

static void a_damaged_row_names_itself_and_can_be_deleted(void **state)
{
	struct fixture *f = *state;
	struct queue_row row = row_at(deferred_ref(5, 1, 2, 4));
	struct row_ref start = { .place = ROW_DEFERRED };
	struct row_ref bad = deferred_ref(5, 1, 2, 3);
	u8 key[ROW_KEY_MAX];

	must(queue_begin(f->queue));
	must(queue_row_put(f->queue, &row));
	must(queue_commit(f->queue));
	put_raw(f, "deferred", (struct slice){ (char *)key, row_key_write(key, &bad) },
		SLICE("\1 cut"));
	fixture_open(f);
	must(queue_begin(f->queue));
	expect_failed(f, queue_row_next(f->queue, &start, 9, &row), "5/1/2/3", "deferred");
	must(queue_begin(f->queue));
	expect_failed(f, queue_row_get(f->queue, &bad, &row), "5/1/2/3", "deferred");
	must(queue_begin(f->queue));
	must(queue_row_delete(f->queue, &bad));
	must(queue_row_next(f->queue, &start, 9, &row));
	assert_int_equal(row.ref.id.seq, 4);
	must(queue_commit(f->queue));
}

static void damage_in_every_other_table_names_itself(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign c;
	struct queue_lane lane;
	struct queue_log_entry entry;
	struct queue_row row;
	struct row_ref doubt = { .place = ROW_DOUBT };
	struct row_ref in_lane = lane_ref(1, 1, 0);
	struct slice name;
	struct slice value;
	struct buf refs;
	u64 a;
	u64 b;

	buf_init(&refs, 4096);
	put_raw(f, "campaign", SLICE("\0\0\0\5"), SLICE("\1\1"));
	put_raw(f, "lane", SLICE("\0\0\0\1\0\0\1\0"), SLICE("\2x.test"));
	put_raw(f, "row", SLICE("\0\0\0\1\0\0\0\1\0\0\0\2"), SLICE(""));
	put_raw(f, "doubt", SLICE("\0\0\0\1\0\0\0\1"), SLICE(""));
	put_raw(f, "blob", SLICE("\0\0\0\1html"), SLICE("\7x"));
	put_raw(f, "lease", SLICE("\0\0\0\0\0\0\0\3\0\0"), SLICE("\1\0\0\0\0\0\0\0\0\xff"));
	put_raw(f, "log", SLICE("\0\0\0\0\0\0\0\1"), SLICE("\1\1"));
	put_raw(f, "setting", SLICE("a\x1b"), SLICE(""));
	fixture_open(f);
	must(queue_begin(f->queue));
	expect_failed(f, queue_campaign_next(f->queue, 0, &c), "5", "campaign");
	must(queue_begin(f->queue));
	expect_failed(f, queue_lane_next(f->queue, 1, 0, &lane), "1/256", "lane");
	must(queue_begin(f->queue));
	expect_failed(f, queue_row_next(f->queue, &in_lane, 0, &row), "1/1/2", "row");
	must(queue_begin(f->queue));
	expect_failed(f, queue_row_next(f->queue, &doubt, 0, &row), "1/1", "doubt");
	must(queue_begin(f->queue));
	expect_failed(f, queue_blob_get(f->queue, 1, "html", &value), "1/html", "blob");
	must(queue_begin(f->queue));
	expect_failed(f, queue_lease_next(f->queue, 0, &a, &b, &refs), "3/0", "lease");
	must(queue_begin(f->queue));
	expect_failed(f, queue_log_next(f->queue, 0, &entry), "1", "log");
	must(queue_begin(f->queue));
	expect_failed(f, queue_setting_get(f->queue, SLICE("a\x1b"), &value), "a?", "setting");
	must(queue_begin(f->queue));
	expect_failed(f, queue_setting_next(f->queue, SLICE("a"), SLICE_NONE, &name, &value), "a?",
		      "setting");
	buf_done(&refs);
}

static void a_newer_format_is_refused_with_a_sentence_and_left_as_it_is(void **state)
{
	struct fixture *f = *state;
	struct error error;

	put_raw(f, "setting", SLICE("\0format"), SLICE("\1\0\3\0\7"));
	for (int i = 0; i < 2; i++) {
		assert_null(queue_open(&f->params, &error));
		assert_non_null(strstr(error.text, "newer version"));
		assert_non_null(strstr(error.text, "format 3.7"));
	}
	put_raw(f, "setting", SLICE("\0format"), SLICE("\1\0\2\0\7"));
	fixture_open(f);
	put_raw(f, "setting", SLICE("\0format"), SLICE("\1\0"));
	assert_null(queue_open(&f->params, &error));
	assert_non_null(strstr(error.text, "format record does not parse"));
}

static void an_older_format_is_read_and_noted_as_the_new_one(void **state)
{
	struct fixture *f = *state;
	static const char row[] = "\1\0\0\0\0\0\0\1" /* version, flags, code, attempts */
				  "\0\0\0\0\0\0\2\3"   /* first_ms */
				  "\0\1\0\0\0\0"         /* lengths of address, host and reply */
				  "a";
	struct row_ref ref = deferred_ref(5, 1, 2, 3);
	u8 key[ROW_KEY_MAX];
	struct queue_row back;

	put_raw(f, "deferred", (struct slice){ (char *)key, row_key_write(key, &ref) },
		(struct slice){ row, sizeof(row) - 1 });
	put_raw(f, "setting", SLICE("\0format"), SLICE("\1\0\1\0\0"));
	fixture_open(f);
	must(queue_begin(f->queue));
	must(queue_row_get(f->queue, &ref, &back));
	assert_int_equal(back.attempts, 1);
	assert_int_equal(back.first_ms, 0x203);
	assert_int_equal(back.since_ms, 0x203);
	queue_abort(f->queue);
	check_raw(f, "setting", SLICE("\0format"), SLICE("\1\0\2\0\0"));
	fixture_open(f);
}

/* A first start that ended between the making of the file and that of its tables. */
static void a_queue_without_tables_is_a_new_one(void **state)
{
	struct fixture *f = *state;
	struct raw raw = raw_begin(f, NULL);

	must_be(0, mdb_drop(raw.txn, raw.dbi, 0));
	raw_commit(&raw);
	fixture_open(f);
	must(queue_begin(f->queue));
	must(queue_setting_put(f->queue, SLICE("a"), SLICE("1")));
	must(queue_commit(f->queue));
	check_raw(f, "setting", SLICE("\0format"), SLICE("\1\0\2\0\0"));
}

/* ---- the pure readers ---- */

#define KINDS 11

struct kind {
	const char *name;
	bool (*read)(struct slice record);
	size_t len;
	bool cut_is_bad; /* no shorter record of this kind parses */
	char bytes[2048];
};

static bool read_row(struct slice record)
{
	struct queue_row row;

	return row_record_read(record, &row);
}

static bool read_log(struct slice record)
{
	struct queue_log_entry entry;

	return log_record_read(record, &entry);
}

static bool read_block(struct slice record)
{
	struct log_block block;

	return log_block_read(record, &block);
}

static bool read_campaign(struct slice record)
{
	struct queue_campaign c;

	return campaign_record_read(record, &c) && strlen(c.name) < sizeof(c.name);
}

static bool read_lease(struct slice record)
{
	struct buf refs;
	u64 wall_ms;
	bool done;

	buf_init(&refs, 1u << 20);
	done = lease_part_read(record, &wall_ms, &refs);
	buf_done(&refs);
	return done;
}

static bool read_recipients(struct slice record)
{
	struct recipient_part part;
	struct slice local;

	if (!recipient_part_read(record, &part))
		return false;
	while (recipient_part_next(&part, &local))
		assert_in_range(local.len, 1, ROW_ADDRESS_MAX);
	return true;
}

static void make_kinds(struct kind kinds[KINDS])
{
	struct queue_row row = row_at(lane_ref(1, 1, 1));
	struct queue_log_entry entry = { .outcome = LOG_HELD, .address = SLICE("a@x.test"),
					 .host = SLICE("mx"), .reply = SLICE("later") };
	struct queue_campaign c = { .state = CAMPAIGN_READY, .name = "n", .customer = "c" };
	struct log_block block = { .oldest_ms = 1, .newest_ms = 2 };
	struct row_ref refs[3] = { lane_ref(1, 1, 1), deferred_ref(9, 1, 2, 3), lane_ref(1, 2, 4) };
	u32 taken;

	kinds[0] = (struct kind){ .name = "row", .read = read_row };
	kinds[0].len = row_record_write((u8 *)kinds[0].bytes, &row);
	kinds[0].cut_is_bad = true;
	kinds[1] = (struct kind){ .name = "log", .read = read_log, .cut_is_bad = true };
	kinds[1].len = log_record_write((u8 *)kinds[1].bytes, &entry);
	kinds[2] = (struct kind){ .name = "campaign", .read = read_campaign, .cut_is_bad = true };
	kinds[2].len = campaign_record_write((u8 *)kinds[2].bytes, &c);
	kinds[3] = (struct kind){ .name = "lease", .read = read_lease };
	kinds[3].len = lease_part_write((u8 *)kinds[3].bytes, 5, refs, 3, &taken);
	row.since_ms = row.first_ms + 1;
	kinds[4] = (struct kind){ .name = "aged row", .read = read_row, .cut_is_bad = true };
	kinds[4].len = row_record_write((u8 *)kinds[4].bytes, &row);
	entry.age_ms = entry.wall_ms + 1;
	kinds[5] = (struct kind){ .name = "aged log", .read = read_log, .cut_is_bad = true };
	kinds[5].len = log_record_write((u8 *)kinds[5].bytes, &entry);
	c.kind = CAMPAIGN_TRANSACTIONAL;
	memcpy(c.list, "weekly", 6);
	kinds[6] = (struct kind){ .name = "later campaign",
				  .read = read_campaign,
				  .cut_is_bad = true };
	kinds[6].len = campaign_record_write((u8 *)kinds[6].bytes, &c);
	entry.source = (struct net_address){ .family = 6, .ip = { 0x20, 1 } };
	entry.site = SLICE("mx.x.test");
	entry.tls = LOG_TLS_13;
	entry.tls_policy = LOG_POLICY_DANE;
	kinds[7] = (struct kind){ .name = "sent log", .read = read_log, .cut_is_bad = true };
	kinds[7].len = log_record_write((u8 *)kinds[7].bytes, &entry);
	kinds[8] = (struct kind){ .name = "log block", .read = read_block, .cut_is_bad = true };
	kinds[8].len = log_block_write((u8 *)kinds[8].bytes, &block);
	kinds[9] = (struct kind){ .name = "recipients", .read = read_recipients };
	kinds[9].len = recipient_part_write((u8 *)kinds[9].bytes, 5, 1,
					    (const struct slice[]){ SLICE("ann@x.test"),
								    SLICE("bob@x.test") },
					    2, false, &taken);
	c.is_open = true;
	c.cursor = 7;
	kinds[10] = (struct kind){ .name = "open campaign",
				   .read = read_campaign,
				   .cut_is_bad = true };
	kinds[10].len = campaign_record_write((u8 *)kinds[10].bytes, &c);
}

/* The sizes that callers reserve are those that the writers need, no more and no less. */
static void the_largest_records_are_as_large_as_their_maxima_say(void **state)
{
	static char bytes[ROW_VALUES_MAX];
	static u8 out[ROW_RECORD_MAX];
	struct slice most = { bytes, sizeof(bytes) };
	struct slice address = { bytes, ROW_ADDRESS_MAX };
	struct queue_row row = { .address = address, .values = most, .host = most, .reply = most };
	struct queue_log_entry entry = {
		.outcome = LOG_FAILED, .address = address, .host = most, .reply = most, .site = most
	};
	struct log_block block = { 0 };

	(void)state;
	row.ref.place = ROW_LANE;
	row.since_ms = 1;
	entry.age_ms = 1;
	entry.source.family = 6;
	assert_int_equal(log_block_write(out, &block), LOG_BLOCK_MAX);
	assert_true(LOG_BLOCK_MAX <= LEASE_PART_MAX);
	assert_int_equal(row_record_write(out, &row), ROW_RECORD_MAX);
	assert_int_equal(log_record_write(out, &entry), LOG_RECORD_MAX);
}

static void every_cut_and_every_changed_byte_is_survived(void **state)
{
	struct kind kinds[KINDS];

	(void)state;
	make_kinds(kinds);
	for (size_t k = 0; k < array_count(kinds); k++) {
		struct kind *kind = &kinds[k];

		if (!kind->read((struct slice){ kind->bytes, kind->len }))
			fail_msg("%s record does not parse", kind->name);
		for (size_t len = 0; len < kind->len; len++) {
			/* Of exactly this size, so that reading behind it is seen. */
			char *copy = malloc(len + 1);
			bool done;

			memcpy(copy + 1, kind->bytes, len);
			done = kind->read((struct slice){ copy + 1, len });
			free(copy);
			if (done && kind->cut_is_bad)
				fail_msg("%s record cut at %zu was taken", kind->name, len);
		}
		for (size_t i = 0; i < kind->len; i++) {
			for (int value = 0; value < 256; value++) {
				char *copy = malloc(kind->len);

				memcpy(copy, kind->bytes, kind->len);
				copy[i] = (char)value;
				(void)kind->read((struct slice){ copy, kind->len });
				free(copy);
			}
		}
		kind->bytes[0] = 4; /* a version that nobody knows */
		assert_false(kind->read((struct slice){ kind->bytes, kind->len }));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(a_damaged_row_names_itself_and_can_be_deleted),
		store_test(damage_in_every_other_table_names_itself),
		store_test(an_older_format_is_read_and_noted_as_the_new_one),
		store_test(a_queue_without_tables_is_a_new_one),
		store_test(a_newer_format_is_refused_with_a_sentence_and_left_as_it_is),
		cmocka_unit_test(the_largest_records_are_as_large_as_their_maxima_say),
		cmocka_unit_test(every_cut_and_every_changed_byte_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
