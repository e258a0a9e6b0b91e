#include "base/config_retry.h"

#include "base/check.h"
#include "base/config_table.h"
#include "base/text.h"

#include <stdio.h>

/*
 * What time does to each kind of failure. A grey list lets nearly everybody in after five minutes
 * (its first wait is longer than that whatever the jitter); a host in trouble, or DNS, is mostly
 * back soon; a route that is told to slow down has its own pause, so that rows only have to come
 * again when there is room; a mailbox is emptied in hours; what is said of our content, our keys or
 * our name changes when people have acted. All others go by `schedule`.
 */
static const struct shipped {
	enum smtp_class class;
	const char *schedule;
} shipped[] = {
	{ SMTP_CLASS_GREYLISTED, "7m 15m 30m 1h 2h" },
	{ SMTP_CLASS_TRANSIENT_HOST, "2m 5m 15m 30m 1h 2h 4h" },
	{ SMTP_CLASS_DNS, "2m 5m 15m 30m 1h 2h 4h" },
	{ SMTP_CLASS_RATE, "2m 5m 10m 20m 30m 1h" },
	{ SMTP_CLASS_POLICY, "10m 30m 1h 2h 4h" },
	{ SMTP_CLASS_BAD_MAILBOX, "30m 1h 2h 4h" },
	{ SMTP_CLASS_MAILBOX_FULL, "1h 2h 4h 8h" },
	{ SMTP_CLASS_CONTENT, "1h 2h 4h 8h" },
	{ SMTP_CLASS_REPUTATION, "1h 2h 4h 8h" },
	{ SMTP_CLASS_AUTH_FAILURE, "1h 2h 4h 8h" },
};

static bool read_shipped(struct config *config)
{
	for (size_t i = 0; i < array_count(shipped); i++) {
		struct config_durations *to = &config->retry.classes[shipped[i].class].schedule;
		struct slice rest = slice_of(shipped[i].schedule);
		u64 *ms = arena_take(&config->arena, rest.len * sizeof(*ms));

		if (!ms)
			return false;
		for (to->count = 0; rest.ptr; to->count++) {
			if (!slice_to_duration_ms(slice_split(&rest, ' '), &ms[to->count]))
				CRASH("a shipped wait is no duration");
		}
		to->ms = ms;
	}
	return true;
}

static bool read_class(struct config_file *file, struct config *config, struct cfg_t *at)
{
	struct config_retry_class *to;
	enum smtp_class class;

	if (!smtp_class_find(slice_of(config_file_title(at)), &class))
		return config_file_refuse(file, at, NULL, "its title is no class of replies");
	to = &config->retry.classes[class];
	if (!config_file_fill(file, at, &config_section_retry_class, CONFIG_FILL_GIVEN, to,
			      &config->arena))
		return false;
	if (to->expire_ms > 0 && to->expire_ms < to->schedule.ms[0])
		return config_file_refuse(file, at, "expire", "earlier than the first retry");
	return true;
}

bool config_retry_read(struct config_file *file, struct config *config)
{
	struct config_retry *retry = &config->retry;
	struct cfg_t *at = config_file_at(file->tree, "retry", 0);
	const bool own = at && config_file_given(at, &config_section_retry) & 1;

	if (at ? !config_file_fill(file, at, &config_section_retry, CONFIG_FILL_ALL, retry,
				   &config->arena) :
		 !config_file_fill_fallbacks(file, &config_section_retry, retry, &config->arena))
		return false;
	if (retry->expire_ms < retry->schedule.ms[0])
		return config_file_refuse(file, at, "expire", "earlier than the first retry");
	for (size_t i = 0; i < array_count(retry->classes); i++)
		retry->classes[i].schedule = retry->schedule;
	if (!own && !read_shipped(config))
		return config_file_refuse(file, file->tree, NULL, "out of memory");
	for (size_t i = 0; at && i < config_file_count(at, "class"); i++) {
		if (!read_class(file, config, config_file_at(at, "class", i)))
			return false;
	}
	return true;
}
