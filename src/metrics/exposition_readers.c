/*
 * Who reads behind the delivery log, on the page.
 */
#include "metrics/metrics.h"
#include "metrics/metrics_parts.h"

#include <stddef.h>

static const struct {
	const char *name;
	enum metric_type type;
	const char *help;
	size_t offset;
} reader_families[] = {
	{ "hikyaku_hook_waiting_entries", GAUGE,
	  "Entries of the delivery log that a webhook has not taken yet.",
	  offsetof(struct metrics_reader, waiting) },
	{ "hikyaku_hook_posted_events", COUNTER, "Events that a webhook's receiver has taken.",
	  offsetof(struct metrics_reader, posted) },
	{ "hikyaku_hook_failed_posts", COUNTER, "Posts that a webhook's receiver did not take.",
	  offsetof(struct metrics_reader, failed) },
	{ "hikyaku_hook_lost_entries", COUNTER,
	  "Entries of the delivery log that were trimmed before a webhook took them.",
	  offsetof(struct metrics_reader, lost) },
	{ "hikyaku_hook_suspended", GAUGE,
	  "Whether a webhook takes nothing until an operator resumes it.",
	  offsetof(struct metrics_reader, suspended) },
};

void metrics_add_readers(struct page *page, const struct metrics_planner *p)
{
	for (size_t i = 0; i < array_count(reader_families); i++) {
		const char *name = reader_families[i].name;
		enum metric_type type = reader_families[i].type;

		page_family(page, name, type, reader_families[i].help);
		for (size_t j = 0; j < METRICS_READERS_MAX; j++) {
			const struct metrics_reader *r = &p->readers[j];
			const char *word = (const char *)r + reader_families[i].offset;

			if (__atomic_load_n(&r->is_used, __ATOMIC_ACQUIRE))
				page_labelled(page, name, type, "hook", r->name,
					     metric_get((const u64 *)(const void *)word));
		}
	}
}
