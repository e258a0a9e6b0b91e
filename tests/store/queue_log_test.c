/*
 * Looking things up in the delivery log: what the index says is what reading every entry would have
 * said, whatever was trimmed, broken off or written by an older program; and it is found without
 * reading the whole log.
 */
#include "store/fixture.h"

#include "store/queue_record.h"

#include <lmdb.h>

#define ENTRIES 5000

static u64 seed;

static u32 pick(u32 below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(seed >> 33) % below;
}

/* An entry that its number alone decides. */
static void make(u64 number, struct queue_log_entry *entry, char text[3][64])
{
	seed = number * 0x9e3779b97f4a7c15ull;
	*entry = (struct queue_log_entry){
		.wall_ms = 1000 + number * 10 + pick(50),
		.age_ms = number,
		.id = { 1 + (u32)number / 2000, 1 + pick(5), 1 + pick(700) },
		.outcome = LOG_DELIVERED + pick(4),
		.reply_class = (u8)pick(9),
		.tls = LOG_TLS_13,
		.tls_policy = LOG_POLICY_STS,
		.tls_proven = true,
		.bytes = 8192,
		.source = { .family = 4, .ip = { 192, 0, 2, 7 } },
	};
	snprintf(text[0], 64, "user%u@d%u.test", pick(900), pick(20));
	snprintf(text[1], 64, "mx%u.test", pick(12));
	entry->address = slice_of(text[0]);
	entry->site = slice_of(text[1]);
	entry->host = SLICE("mx.test [192.0.2.25]");
}

static void fill(struct queue *queue, u64 from, u64 to)
{
	struct queue_log_entry entry;
	char text[3][64];

	must(queue_begin(queue));
	for (u64 i = from; i <= to; i++) {
		make(i, &entry, text);
		must(queue_log_add(queue, &entry));
	}
	must(queue_commit(queue));
}

/* Every entry that matches, by reading all; then by the index, both ways. */
static void must_agree(struct queue *queue, const struct queue_log_filter *filter, u32 slice)
{
	static u64 wanted[ENTRIES * 3];
	struct queue_log_entry entry = { 0 };
	size_t count = 0;

	must(queue_begin(queue));
	while (queue_log_next(queue, entry.number, &entry) == STORE_OK) {
		if (queue_log_matches(filter, &entry))
			wanted[count++] = entry.number;
	}
	for (int down = 0; down < 2; down++) {
		struct queue_log_walk walk = { .newest_first = down, .at = down ? UINT64_MAX : 0 };
		enum store_result result;
		size_t found = 0;
		u32 budget = slice;

		while ((result = queue_log_find(queue, filter, &walk, &budget, &entry)) ==
		       STORE_OK) {
			if (entry.number == 0) {
				assert_int_equal(budget, 0);
				budget = slice;
				continue;
			}
			assert_true(found < count);
			assert_int_equal(entry.number, wanted[down ? count - 1 - found : found]);
			found++;
		}
		assert_int_equal(result, STORE_NOT_FOUND);
		assert_int_equal(found, count);
	}
	queue_abort(queue);
}

static void must_agree_on_all(struct queue *queue, u64 last)
{
	struct queue_log_filter filters[14] = { { 0 } };
	struct queue_log_entry entry;
	char text[4][3][64];

	make(last / 2, &entry, text[0]);
	filters[1].address = entry.address;
	filters[2].row = entry.id;
	filters[3].domain = slice_from(entry.address, (size_t)slice_find_char(entry.address, '@') + 1);
	filters[4].site = entry.site;
	filters[5].campaign = entry.id.campaign;
	filters[6].outcomes = 1ull << LOG_FAILED | 1ull << LOG_EXPIRED;
	filters[7].classes = 1ull << 3;
	filters[8].since_ms = entry.wall_ms;
	filters[9].until_ms = entry.wall_ms;
	filters[10] = (struct queue_log_filter){ .since_ms = entry.wall_ms - 3000,
						 .until_ms = entry.wall_ms + 3000,
						 .outcomes = 1ull << LOG_DELIVERED };
	make(last - 3, &entry, text[1]);
	filters[11].address = entry.address;
	make(1, &entry, text[2]);
	filters[12] = (struct queue_log_filter){ .address = entry.address,
						 .row = entry.id,
						 .site = entry.site };
	filters[13].address = SLICE("nobody@nowhere.test");
	for (size_t i = 0; i < array_count(filters); i++)
		must_agree(queue, &filters[i], 37 + (u32)i * 100);
}

static void the_index_finds_what_reading_all_entries_finds(void **state)
{
	struct fixture *f = *state;

	fill(f->queue, 1, ENTRIES);
	must_agree_on_all(f->queue, ENTRIES);
	fixture_reopen(f);
	fill(f->queue, ENTRIES + 1, ENTRIES + 777);
	must_agree_on_all(f->queue, ENTRIES + 777);
}

static void what_was_broken_off_is_not_in_the_index(void **state)
{
	struct fixture *f = *state;
	struct queue_log_entry entry;
	char text[3][64];

	for (u64 i = 0; i < 10; i++) {
		must(queue_begin(f->queue));
		for (u64 n = 0; n < 300; n++) {
			make(999999 + n, &entry, text);
			must(queue_log_add(f->queue, &entry));
		}
		queue_abort(f->queue);
		fill(f->queue, i * 301 + 1, (i + 1) * 301);
	}
	must_agree_on_all(f->queue, 3010);
}

static void trimmed_entries_are_gone_and_their_blocks_with_them(void **state)
{
	struct fixture *f = *state;
	struct queue_stats stats;
	MDB_stat index;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_env *env;

	fill(f->queue, 1, ENTRIES);
	must(queue_begin(f->queue));
	must(queue_log_trim(f->queue, UINT64_MAX, UINT64_MAX, 2000));
	must_be(STORE_NOT_FOUND, queue_log_trim(f->queue, UINT64_MAX, 2000, 500));
	must(queue_log_trim(f->queue, UINT64_MAX, 2100, 500));
	must(queue_commit(f->queue));
	must(queue_stats(f->queue, &stats));
	assert_int_equal(stats.log_rows, ENTRIES - 2100);
	must_agree_on_all(f->queue, ENTRIES);
	queue_close(f->queue);
	f->queue = NULL;
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 20), 0);
	assert_int_equal(mdb_env_open(env, f->path, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "log_index", 0, &dbi), 0);
	assert_int_equal(mdb_stat(txn, dbi, &index), 0);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	/* Blocks 4 (1800 to 2249, of which some are left) to 10, the last whole one. */
	assert_int_equal(index.ms_entries, 7);
	fixture_open(f);
}

/* As after an upgrade: the first part of the log has no index. */
static void a_log_without_an_index_is_read_through(void **state)
{
	struct fixture *f = *state;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_env *env;

	fill(f->queue, 1, 2000);
	queue_close(f->queue);
	f->queue = NULL;
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 20), 0);
	assert_int_equal(mdb_env_open(env, f->path, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "log_index", 0, &dbi), 0);
	assert_int_equal(mdb_drop(txn, dbi, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	fixture_open(f);
	must_agree_on_all(f->queue, 2000);
	fill(f->queue, 2001, ENTRIES);
	must_agree_on_all(f->queue, ENTRIES);
}

static void a_recipient_is_found_without_reading_the_log(void **state)
{
	struct fixture *f = *state;
	struct queue_log_filter filter = { .address = SLICE("needle@hay.test") };
	struct queue_log_walk walk = { 0 };
	struct queue_log_entry entry;
	char text[3][64];
	u32 budget = 9000;

	f->params.map_size = f->params.map_size_max;
	fixture_reopen(f);
	fill(f->queue, 1, 50000);
	must(queue_begin(f->queue));
	make(50001, &entry, text);
	entry.address = filter.address;
	must(queue_log_add(f->queue, &entry));
	must(queue_commit(f->queue));
	fill(f->queue, 50002, 150000);
	must(queue_begin(f->queue));
	must(queue_log_find(f->queue, &filter, &walk, &budget, &entry));
	assert_int_equal(entry.number, 50001);
	must_be(STORE_NOT_FOUND, queue_log_find(f->queue, &filter, &walk, &budget, &entry));
	/* 334 blocks of 450, and the tail that is not indexed yet. */
	assert_true(budget > 2000);
	queue_abort(f->queue);
}

static void an_entry_tells_how_it_was_sent(void **state)
{
	struct fixture *f = *state;
	struct queue_log_entry entry;
	u64 last;

	fill(f->queue, 7, 7);
	must(queue_begin(f->queue));
	must(queue_log_last(f->queue, &last));
	assert_int_equal(last, 1);
	must(queue_log_next(f->queue, 0, &entry));
	assert_int_equal(entry.bytes, 8192);
	assert_int_equal(entry.tls, LOG_TLS_13);
	assert_string_equal(log_tls_name(entry.tls), "TLSv1.3");
	assert_string_equal(log_policy_name(entry.tls_policy), "mta-sts");
	assert_true(entry.tls_proven);
	assert_int_equal(entry.source.family, 4);
	assert_memory_equal(entry.source.ip, ((u8[]){ 192, 0, 2, 7 }), 4);
	assert_true(slice_has_prefix(entry.site, SLICE("mx")));
	queue_abort(f->queue);
}

/* Bytes as the versions before wrote them: nothing of how it was sent. */
static void older_entries_are_read_as_they_are(void **state)
{
	struct queue_log_entry entry = { .wall_ms = 5, .age_ms = 9, .outcome = LOG_DEFERRED,
					 .address = SLICE("a@x.test"), .host = SLICE("mx") };
	struct queue_log_entry back = { .tls = LOG_TLS_13, .bytes = 3 };
	u8 record[LOG_RECORD_MAX];
	size_t len = log_record_write(record, &entry);

	(void)state;
	assert_int_equal(record[0], 2);
	assert_true(log_record_read((struct slice){ (char *)record, len }, &back));
	assert_int_equal(back.age_ms, 9);
	assert_int_equal(back.tls, LOG_TLS_UNKNOWN);
	assert_int_equal(back.bytes, 0);
	assert_int_equal(back.site.len, 0);
	must_slice(back.host, "mx");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(the_index_finds_what_reading_all_entries_finds),
		store_test(what_was_broken_off_is_not_in_the_index),
		store_test(trimmed_entries_are_gone_and_their_blocks_with_them),
		store_test(a_log_without_an_index_is_read_through),
		store_test(a_recipient_is_found_without_reading_the_log),
		store_test(an_entry_tells_how_it_was_sent),
		store_test(older_entries_are_read_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
