/*
 * For targets that start a sender's planner over what an earlier one left: a queue with one running
 * campaign of six rows (four in their lane, one deferred, one held in doubt) and the journal, both
 * put back before each execution. The clock is the target's, names are never resolved. Include it
 * in one program each.
 */
#ifndef TESTS_FUZZ_PLANNER_WORLD_H
#define TESTS_FUZZ_PLANNER_WORLD_H

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/remove_tree.h"
#include "base/text.h"
#include "delivery/planner.h"
#include "dns/mx.h"
#include "metrics/metrics.h"
#include "store/queue.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS 6
#define JOURNAL_HEAD 4096
#define NOW_MS 1800000000000ull /* 2027 */

static struct {
	char dir[64];
	char queue_path[128];
	char journal_path[128];
	struct config config;
	struct metrics *metrics;
	u32 campaign;
	struct row_ref rows[ROWS];
	u8 *store; /* the queue's file as the first sender left it */
	size_t store_size;
	u8 head[JOURNAL_HEAD];
} the;

/* ---- in the place of the clock and the resolver ---- */

static u64 passed_ms; /* since every execution began */

u64 clock_mono_ns(void)
{
	return 100 * NS_PER_S + passed_ms * NS_PER_MS;
}

u64 clock_wall_ms(void)
{
	return NOW_MS + passed_ms;
}

struct mx_resolver *mx_resolver_open(const struct mx_params *params, struct error *error)
{
	(void)params;
	(void)error;
	return (struct mx_resolver *)&the;
}

void mx_resolver_close(struct mx_resolver *resolver)
{
	(void)resolver;
}

int mx_resolver_fd(const struct mx_resolver *resolver)
{
	(void)resolver;
	return -1;
}

void mx_resolver_process(struct mx_resolver *resolver)
{
	(void)resolver;
}

bool mx_lookup(struct mx_resolver *resolver, struct slice domain, u64 cookie)
{
	(void)resolver;
	(void)domain;
	(void)cookie;
	return false;
}

bool mx_lookup_addresses(struct mx_resolver *resolver, struct slice host, u64 cookie)
{
	return mx_lookup(resolver, host, cookie);
}

bool mx_next_answer(struct mx_resolver *resolver, u64 *cookie, struct mx_answer *answer)
{
	(void)resolver;
	(void)cookie;
	(void)answer;
	return false;
}

/* ---- what the first sender leaves ---- */

static struct planner *start(void)
{
	struct planner_params params = { .config = &the.config, .metrics = the.metrics, .seed = 1 };
	struct error error = { "" };
	struct planner *planner = planner_open(&params, &error);

	if (!planner)
		fprintf(stderr, "planner_open: %s\n", error.text);
	ASSERT(planner);
	return planner;
}

static void import(struct planner *planner)
{
	struct queue_campaign campaign = { .name = "spring",
					   .customer = "a.example",
					   .doubt_policy = DOUBT_RESEND,
					   .expire_after_ms = 86400000 };
	struct planner_source source = { .headers = SLICE("From: A <n@a.example>\nSubject: hi\n"),
					 .text = SLICE("hi\n") };
	struct planner_intake *intake;
	struct error error = { "" };
	struct buf options;
	char address[32];

	buf_init(&options, 4096);
	planner_options_pack(&(struct planner_options){ 0 }, &options);
	source.options = buf_slice(&options);
	intake = planner_intake_begin(planner, &campaign, &source, &error);
	ASSERT(intake);
	for (u32 i = 0; i < ROWS; i++) {
		struct planner_recipient one = { .address = SLICE_NONE };

		snprintf(address, sizeof(address), "r%u@x.example", i);
		one.address = slice_of(address);
		ASSERT(planner_intake_add(intake, &one, 1, &error));
		the.rows[i] = (struct row_ref){ .place = ROW_LANE };
	}
	ASSERT(planner_intake_finish(intake, &campaign, &error));
	ASSERT(planner_campaign_start(planner, campaign.id, &error));
	the.campaign = campaign.id;
	buf_done(&options);
}

/* The last row but one waits deferred, the last is held in doubt. */
static void place_rows(struct queue *queue)
{
	struct queue_campaign campaign;
	struct queue_row row;

	ASSERT(queue_begin(queue) == STORE_OK);
	for (u32 i = 0; i < ROWS; i++) {
		struct row_ref from = { .id = { the.campaign, 1, i + 1 }, .place = ROW_LANE };

		ASSERT(queue_row_get(queue, &from, &row) == STORE_OK);
		the.rows[i] = from;
		if (i + 2 < ROWS)
			continue;
		row.ref.place = i + 2 == ROWS ? ROW_DEFERRED : ROW_DOUBT;
		row.ref.due_ms = i + 2 == ROWS ? NOW_MS + 1000 : 0;
		ASSERT(queue_row_move(queue, &from, &row) == STORE_OK);
		the.rows[i] = row.ref;
	}
	ASSERT(queue_campaign_get(queue, the.campaign, &campaign) == STORE_OK);
	campaign.deferred = 1;
	campaign.held = 1;
	ASSERT(queue_campaign_put(queue, &campaign) == STORE_OK && queue_commit(queue) == STORE_OK);
}

static void read_file(const char *path, void *to, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ASSERT(fd >= 0 && read(fd, to, size) == (ssize_t)size);
	close(fd);
}

static void write_file(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ASSERT(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

static void remove_world(void)
{
	remove_tree(the.dir);
}

static void set_up(void)
{
	struct error error = { "" };
	struct planner *planner;
	struct stat st;
	char text[512];

	log_set_fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
	snprintf(the.dir, sizeof(the.dir), "/dev/shm/hikyaku-recovery-XXXXXX");
	ASSERT(mkdtemp(the.dir));
	atexit(remove_world);
	snprintf(
		text, sizeof(text),
		"data = \"%s\"\n"
		"queue { in-flight = 4 commit-interval = 0 map-size-max = \"1M\" }\n"
		"customer \"a.example\" { address \"any\" { ehlo = \"m.a.example\" } sign = false }\n",
		the.dir);
	ASSERT(config_parse(&the.config, slice_of(text), "fuzz", &error));
	the.metrics = metrics_open(1);
	planner = start();
	import(planner);
	place_rows(planner_queue(planner));
	planner_close(planner);
	snprintf(the.queue_path, sizeof(the.queue_path), "%s/queue/data.mdb", the.dir);
	snprintf(the.journal_path, sizeof(the.journal_path), "%s/journal", the.dir);
	ASSERT(stat(the.queue_path, &st) == 0);
	the.store_size = (size_t)st.st_size;
	the.store = malloc(the.store_size);
	ASSERT(the.store);
	read_file(the.queue_path, the.store, the.store_size);
	read_file(the.journal_path, the.head, sizeof(the.head));
}

/* As it was; makes it first. */
static void put_back_queue(void)
{
	if (!the.store)
		set_up();
	passed_ms = 0;
	write_file(the.queue_path, the.store, the.store_size);
}

/* ---- what must hold of it ---- */

static u32 rows_at(struct queue *queue, struct row_ref from)
{
	struct queue_row row;
	u32 count = 0;

	while (queue_row_next(queue, &from, UINT64_MAX, &row) == STORE_OK) {
		from = row.ref;
		count++;
	}
	return count;
}

/* Every row of the campaign is at one place or final, and the counters say so. */
static void check_campaign(struct queue *queue, const struct queue_campaign *c)
{
	u32 lane = 0;
	struct queue_lane found = { 0 };

	while (queue_lane_next(queue, c->id, found.number, &found) == STORE_OK)
		lane += rows_at(queue, (struct row_ref){ .id = { c->id, found.number, 0 },
							 .place = ROW_LANE });
	ASSERT(lane + c->deferred + c->held + c->delivered + c->failed + c->cancelled == c->total);
}

#endif
