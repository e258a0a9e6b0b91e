#include "metrics/metrics.h"

#include "base/check.h"
#include "base/map.h"
#include "base/text.h"
#include "base/utf8.h"
#include "metrics/metrics_parts.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static_assert(sizeof(struct metrics_route) % sizeof(u64) == 0, "a route is words only");
static_assert(sizeof(struct metrics_worker) % CACHE_LINE == 0, "workers share no cache line");

/*
 * A pair's two names in one piece of memory; together, with the NUL between them, the key of the
 * map.
 */
struct route_name {
	const char *source;
	const char *site;
	u32 slot;
	size_t len;
	char text[];
};

struct metrics {
	struct metrics_worker *workers;
	struct metrics_planner *planner;
	u32 worker_count;
	struct map slots; /* planner only */
	struct route_name *names[METRICS_ROUTES_MAX];
	_Atomic u32 route_count; /* names below it are complete and never change */
	const char *textfiles;   /* folder; NULL: none */
};

/* Blocks of zeroes that begin on a cache line. */
static void *alloc_blocks(size_t size, u32 count)
{
	void *blocks = aligned_alloc(CACHE_LINE, size * count);

	if (blocks)
		memset(blocks, 0, size * count);
	return blocks;
}

/* The next slot for the pair in `text`: two strings, each with its NUL. False: no memory. */
static bool add_route(struct metrics *metrics, struct slice text)
{
	u32 slot = atomic_load_explicit(&metrics->route_count, memory_order_relaxed);
	struct route_name *name = malloc(sizeof(*name) + text.len);

	if (!name)
		return false;
	*name = (struct route_name){ .slot = slot, .len = text.len };
	memcpy(name->text, text.ptr, text.len);
	name->source = name->text;
	name->site = name->text + strlen(name->text) + 1;
	if (!map_add(&metrics->slots, (struct slice){ name->text, name->len }, name)) {
		free(name);
		return false;
	}
	metrics->names[slot] = name;
	/* A reader that sees the new count sees the name. */
	atomic_store_explicit(&metrics->route_count, slot + 1, memory_order_release);
	return true;
}

struct metrics *metrics_open(u32 workers)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	ASSERT(workers > 0);
	if (!metrics)
		return NULL;
	map_init(&metrics->slots);
	metrics->worker_count = workers;
	metrics->workers = alloc_blocks(sizeof(*metrics->workers), workers);
	metrics->planner = alloc_blocks(sizeof(*metrics->planner), 1);
	if (!metrics->workers || !metrics->planner ||
	    !add_route(metrics, SLICE("other\0other\0"))) {
		metrics_close(metrics);
		return NULL;
	}
	return metrics;
}

void metrics_close(struct metrics *metrics)
{
	if (!metrics)
		return;
	map_done(&metrics->slots);
	for (u32 i = 0; i < METRICS_ROUTES_MAX; i++)
		free(metrics->names[i]);
	free(metrics->workers);
	free(metrics->planner);
	free(metrics);
}

struct metrics_worker *metrics_worker(const struct metrics *metrics, u32 index)
{
	ASSERT(index < metrics->worker_count);
	return &metrics->workers[index];
}

struct metrics_planner *metrics_planner(const struct metrics *metrics)
{
	return metrics->planner;
}

u32 metrics_worker_count(const struct metrics *metrics)
{
	return metrics->worker_count;
}

/* Adds the name with its NUL and with U+FFFD for bytes that are not UTF-8. False: too long. */
static bool add_clean(struct buf *out, const char *name)
{
	struct slice rest = { name, strnlen(name, METRICS_NAME_MAX + 1) };
	size_t start = out->len;
	u32 code;

	while (rest.len > 0 && out->len - start <= METRICS_NAME_MAX) {
		size_t len = utf8_decode(rest, &code);

		if (len > 0)
			buf_add(out, rest.ptr, len);
		else
			buf_add_text(out, "\xef\xbf\xbd");
		rest = slice_from(rest, len > 0 ? len : 1);
	}
	buf_add_char(out, '\0');
	return !out->failed && out->len - start <= METRICS_NAME_MAX + 1;
}

u32 metrics_route_slot(struct metrics *metrics, const char *source, const char *site)
{
	const struct route_name *name;
	u32 slot = METRICS_OTHER;
	struct buf text;

	buf_init(&text, 4 * METRICS_NAME_MAX);
	if (!add_clean(&text, source) || !add_clean(&text, site))
		goto out;
	name = map_find(&metrics->slots, buf_slice(&text));
	if (name) {
		slot = name->slot;
		goto out;
	}
	slot = atomic_load_explicit(&metrics->route_count, memory_order_relaxed);
	if (slot >= METRICS_ROUTES_MAX || !add_route(metrics, buf_slice(&text)))
		slot = METRICS_OTHER;
out:
	buf_done(&text);
	return slot;
}

u32 metrics_route_count(const struct metrics *metrics)
{
	return atomic_load_explicit(&metrics->route_count, memory_order_acquire);
}

const char *metrics_route_site(const struct metrics *metrics, u32 slot)
{
	ASSERT(slot < metrics_route_count(metrics));
	return metrics->names[slot]->site;
}

const char *metrics_route_source(const struct metrics *metrics, u32 slot)
{
	ASSERT(slot < metrics_route_count(metrics));
	return metrics->names[slot]->source;
}

static void sum_words(u64 *sum, const u64 *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sum[i] += metric_get(&words[i]);
}

void metrics_route_sum(const struct metrics *metrics, u32 slot, struct metrics_route *sum)
{
	const size_t words = sizeof(*sum) / sizeof(u64);

	ASSERT(slot < METRICS_ROUTES_MAX);
	*sum = (struct metrics_route){ 0 };
	sum_words((u64 *)sum, (const u64 *)&metrics->planner->routes[slot], words);
	for (u32 i = 0; i < metrics->worker_count; i++)
		sum_words((u64 *)sum, (const u64 *)&metrics->workers[i].routes[slot], words);
}

void metrics_set_textfiles(struct metrics *metrics, const char *folder)
{
	metrics->textfiles = folder;
}

const char *metrics_textfiles(const struct metrics *metrics)
{
	return metrics->textfiles;
}
