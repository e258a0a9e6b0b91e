#include "web/segment_count.h"

#include "base/clock.h"
#include "web/call.h"

#include <stdlib.h>

#define SAMPLE_SIZE 2000
#define SLICE_NS (4 * NS_PER_MS) /* of a turn, for all counts together */
#define SLICE_FIRST 500
#define SLICE_LEAST 50
#define SLICE_MOST 100000

struct segment_count {
	struct web *web;
	struct timer timer;
	struct segment *segment;
	struct time_zone zone;
	struct segment_walk *walk;
	struct segment_sample sample;
	bool is_sampled;
	u32 slice;
	u64 found;
	u64 end_ns; /* it is told then */
	segment_count_done *done;
	bool (*each)(void *owner, struct audience_txn *txn, const struct contact *contact);
	void *owner;
};

void segment_count_drop(struct segment_count *count)
{
	count->web->counts--;
	timer_stop(&count->web->wheel, &count->timer);
	segment_walk_close(count->walk);
	segment_free(count->segment);
	free(count);
}

/* ---- the guess ---- */

static u64 square_root(u64 value)
{
	u64 root = 0;

	for (u64 bit = 1ull << 31; bit > 0; bit >>= 1) {
		if ((root | bit) * (root | bit) <= value)
			root |= bit;
	}
	return root;
}

/* Share of the sample, and twice its standard deviation, of all contacts. */
static void guess(const struct segment_count *count, struct segment_counted *counted)
{
	const struct segment_sample *sample = &count->sample;
	u64 seen = sample->seen;
	u64 misses = seen - sample->held;

	if (seen == 0)
		return;
	counted->count = max_u64(counted->count, sample->total * sample->held / seen);
	counted->margin = 2 * sample->total * square_root(sample->held * misses * 1000000 / seen) /
			  (seen * 1000);
	/* Of a sample without a hit, or without a miss, "about none" is all that is known. */
	counted->margin = max_u64(counted->margin, sample->total * 3 / seen);
}

static void tell(struct segment_count *count, bool is_exact, bool has_failed)
{
	struct segment_counted counted = { .is_exact = is_exact,
					   .has_failed = has_failed,
					   .count = count->found,
					   .seen = segment_walk_seen(count->walk),
					   .total = segment_walk_total(count->walk) };
	segment_count_done *done = count->done;
	void *owner = count->owner;

	if (!is_exact)
		guess(count, &counted);
	if (counted.total < counted.seen)
		counted.total = counted.seen;
	segment_count_drop(count);
	done(owner, &counted);
}

/* ---- turns ---- */

static enum segment_walk_result count_slice(struct segment_count *count)
{
	enum segment_walk_result result;
	struct contact contact;
	u64 start_ns = clock_mono_ns();
	u64 may_ns = SLICE_NS / count->web->counts;
	u64 took_ns;

	segment_walk_begin(count->walk, count->web->reader, segment_walk_after(count->walk),
			   count->slice);
	while ((result = segment_walk_next(count->walk, &contact)) == SEGMENT_WALK_FOUND) {
		count->found++;
		if (count->each && !count->each(count->owner, count->web->reader, &contact))
			return SEGMENT_WALK_FAILED;
	}
	took_ns = max_u64(clock_mono_ns() - start_ns, 1000);
	count->slice = (u32)max_u64(SLICE_LEAST,
				    min_u64(SLICE_MOST, count->slice * may_ns / took_ns));
	return result;
}

static enum segment_walk_result take_sample(struct segment_count *count)
{
	u32 after = segment_walk_after(count->walk);
	bool is_good = segment_walk_sample(count->walk, count->web->reader, SAMPLE_SIZE,
					   &count->sample);

	/* The walk goes on where it was. */
	segment_walk_begin(count->walk, count->web->reader, after, 0);
	count->is_sampled = true;
	return is_good ? SEGMENT_WALK_PAUSED : SEGMENT_WALK_FAILED;
}

static void on_turn(struct timer *timer)
{
	struct segment_count *count = container_of(timer, struct segment_count, timer);
	enum segment_walk_result result = SEGMENT_WALK_FAILED;
	bool is_due;

	if (audience_begin_read(count->web->reader) == STORE_OK) {
		result = count->is_sampled ? count_slice(count) : take_sample(count);
		audience_abort(count->web->reader);
	}
	is_due = clock_mono_ns() >= count->end_ns;
	if (result == SEGMENT_WALK_PAUSED && !is_due)
		timer_start(&count->web->wheel, &count->timer, clock_mono_ns());
	else
		tell(count, result == SEGMENT_WALK_ENDED, result == SEGMENT_WALK_FAILED);
}

struct segment_count *segment_count_begin(struct web *web, struct segment *segment,
					  const struct time_zone *zone, u32 wait_ms,
					  segment_count_done *done, void *owner)
{
	struct segment_count *count = calloc(1, sizeof(*count));
	struct segment_clock clock;

	if (!count) {
		segment_free(segment);
		return NULL;
	}
	*count = (struct segment_count){ .web = web,
					 .segment = segment,
					 .zone = *zone,
					 .slice = SLICE_FIRST,
					 .end_ns = clock_mono_ns() + wait_ms * NS_PER_MS,
					 .done = done,
					 .owner = owner };
	web->counts++;
	timer_init(&count->timer, on_turn);
	clock = (struct segment_clock){ clock_wall_ms(), &count->zone };
	count->walk = segment_walk_open(segment, &clock);
	if (!count->walk) {
		segment_count_drop(count);
		return NULL;
	}
	timer_start(&web->wheel, &count->timer, clock_mono_ns());
	return count;
}

void segment_count_visit(struct segment_count *count,
			 bool (*each)(void *owner, struct audience_txn *txn,
				      const struct contact *contact))
{
	count->each = each;
	count->is_sampled = true;
}
