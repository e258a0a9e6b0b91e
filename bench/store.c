/*
 * Rows per second through the queue environment, every commit synced: import (put into lanes), the
 * main road (take from a lane, lease, delete, log) and retries (deferred rows that come due and are
 * deferred again) with many rows waiting. Rows of about 120 bytes.
 *
 * usage: store DIRECTORY [rows] [relaxed]      (the directory is made and must not exist)
 */
#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "store/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LANES 1000
#define RETRY_ROUNDS 200

static struct queue *queue;
static u64 lease_number;

static void must(enum store_result result)
{
	if (result == STORE_OK)
		return;
	fprintf(stderr, "%s\n", queue_error_text(queue));
	exit(1);
}

static struct queue_row sample_row(void)
{
	return (struct queue_row){
		.address = SLICE("somebody.or.other@example.jp"),
		.values = SLICE("\x0c" "Family name." "\x0a" "Given name" "\x10" "Some other value"
				"\x0b" "One of them"),
	};
}

static void print(const char *what, u32 batch, u64 start_ns, u64 rows)
{
	double seconds = (double)(clock_mono_ns() - start_ns) / NS_PER_S;
	struct queue_stats stats;

	must(queue_stats(queue, &stats));
	printf("%-34s %6u per commit %10.0f rows/s %8.3f s  file %.0f MiB, free %.0f MiB\n", what,
	       batch, (double)rows / seconds, seconds,
	       (double)((stats.pages_used + stats.pages_free) * stats.page_size) / 1048576,
	       (double)(stats.pages_free * stats.page_size) / 1048576);
	fflush(stdout);
}

/* Lane by lane; `scattered`: each row into another lane, as a file in no order would have it. */
static void import(u32 campaign, u32 rows, u32 batch, bool scattered)
{
	u32 per_lane = rows / LANES;
	struct queue_row row = sample_row();
	u64 start = clock_mono_ns();

	for (u32 i = 0; i < rows; i += batch) {
		must(queue_begin(queue));
		for (u32 k = i; k < i + batch && k < rows; k++) {
			u32 lane = scattered ? k % LANES * 7 % LANES : k / per_lane;
			u32 seq = scattered ? k / LANES : k % per_lane;

			row.ref = (struct row_ref){ { campaign, lane + 1, seq + 1 }, ROW_LANE, 0 };
			must(queue_row_put(queue, &row));
		}
		must(queue_commit(queue));
	}
	print(scattered ? "import, lanes in no order" : "import, lane by lane", batch, start, rows);
}

/* What the planner does for `count` rows: the old ones are settled, new ones leased, one commit. */
static u32 take(struct row_ref *at, struct row_ref *refs, u32 count)
{
	struct queue_row row;
	u32 taken = 0;

	while (taken < count && at->id.domain <= LANES) {
		if (queue_row_next(queue, at, 0, &row) == STORE_OK) {
			*at = row.ref;
			refs[taken++] = row.ref;
		} else {
			at->id.domain++;
			at->id.seq = 0;
		}
	}
	return taken;
}

static void settle(const struct row_ref *refs, u32 count)
{
	struct queue_log_entry entry = {
		.outcome = LOG_DELIVERED,
		.code = 250,
		.attempts = 1,
		.address = SLICE("somebody.or.other@example.jp"),
		.host = SLICE("mx1.example.jp [192.0.2.25]"),
		.reply = SLICE("2.0.0 queued as 4F2B81C0A3"),
	};

	for (u32 i = 0; i < count; i++) {
		entry.id = refs[i].id;
		must(queue_row_delete(queue, &refs[i]));
		must(queue_log_add(queue, &entry));
	}
	if (count > 0)
		must(queue_lease_delete(queue, lease_number));
}

static void drain(u32 campaign, u32 batch)
{
	struct row_ref *old = calloc(batch, sizeof(*old));
	struct row_ref *new = calloc(batch, sizeof(*new));
	struct row_ref at = { { campaign, 1, 0 }, ROW_LANE, 0 };
	u64 start = clock_mono_ns();
	u64 rows = 0;
	u32 old_count = 0;
	u32 new_count;

	do {
		struct row_ref *swap = old;

		must(queue_begin(queue));
		new_count = take(&at, new, batch);
		settle(old, old_count);
		if (new_count > 0)
			must(queue_lease_put(queue, ++lease_number, 1, new, new_count));
		must(queue_commit(queue));
		old = new;
		new = swap;
		old_count = new_count;
		rows += new_count;
	} while (new_count > 0);
	print("take, lease, delete, log", batch, start, rows);
	free(old);
	free(new);
}

static void fill_deferred(u32 campaign, u32 rows)
{
	struct queue_row row = sample_row();
	u64 start = clock_mono_ns();

	for (u32 i = 0; i < rows; i += 10000) {
		must(queue_begin(queue));
		for (u32 k = i; k < i + 10000 && k < rows; k++) {
			row.ref = (struct row_ref){ { campaign, k % LANES + 1, k + 1 },
						    ROW_DEFERRED, 1000000 + k };
			must(queue_row_put(queue, &row));
		}
		must(queue_commit(queue));
	}
	print("defer in the order of due times", 10000, start, rows);
}

/* The first rows are deferred again: by a few fixed intervals with a fifth of jitter. */
static void churn(u32 rows, u32 batch)
{
	struct random random;
	struct row_ref at = { .place = ROW_DEFERRED };
	struct queue_row row;
	u64 start = clock_mono_ns();

	random_seed(&random, 1);
	for (u32 round = 0; round < RETRY_ROUNDS; round++) {
		must(queue_begin(queue));
		for (u32 i = 0; i < batch; i++) {
			struct row_ref old;

			must(queue_row_next(queue, &at, UINT64_MAX, &row));
			old = row.ref;
			at = old;
			row.attempts++;
			row.ref.due_ms += random_jitter(&random,
							rows << random_below(&random, 3), 20);
			must(queue_row_put(queue, &row));
			must(queue_row_delete(queue, &old));
		}
		must(queue_commit(queue));
	}
	print("due rows deferred again", batch, start, (u64)RETRY_ROUNDS * batch);
}

int main(int argc, char **argv)
{
	struct store_params params = { .map_size = 16ull << 30, .map_size_max = 16ull << 30 };
	struct error error;
	u32 rows = 1000000;
	u32 campaign = 1;

	if (argc < 2 || (argc > 2 && !slice_to_u32(slice_of(argv[2]), &rows)) || rows < LANES) {
		fprintf(stderr, "usage: store DIRECTORY [rows, at least %d] [relaxed]\n", LANES);
		return 2;
	}
	params.path = argv[1];
	params.relaxed = argc > 3 && strcmp(argv[3], "relaxed") == 0;
	queue = queue_open(&params, &error);
	if (!queue) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	for (u32 batch = 1000; batch <= 10000; batch *= 10, campaign += 2) {
		import(campaign, rows, batch, false);
		drain(campaign, batch);
		import(campaign + 1, rows, batch, true);
		drain(campaign + 1, batch);
	}
	fill_deferred(campaign, rows);
	churn(rows, 100);
	churn(rows, 1000);
	queue_close(queue);
	return 0;
}
