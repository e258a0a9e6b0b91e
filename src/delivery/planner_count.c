/*
 * What routes, sites and source addresses sent in the last minute, hour and day, kept in the store
 * for those that have such a limit: it is written by the transaction that lends the rows, so
 * neither a restart nor a crash lets more through than the limit says.
 */
#include "delivery/planner_parts.h"

#include "base/crypto.h"
#include "base/log.h"
#include "base/text.h"

#define PREFIX SLICE("sent/")
#define ID_SIZE 16
#define NAME_SIZE (sizeof("sent/") + 2 * ID_SIZE)

void counted_init(struct counted *counted, struct shaper *shaper, const char *key)
{
	*counted = (struct counted){ .shaper = shaper, .key = key };
	list_init(&counted->node);
}

/* Keys are longer than names of settings may be, and parts of them strangers'. */
static struct slice name_of(const struct counted *counted, char out[NAME_SIZE])
{
	u8 digest[SHA256_SIZE];
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, counted->key, strlen(counted->key));
	sha256_finish(&hash, digest);
	memcpy(out, PREFIX.ptr, PREFIX.len);
	hex_encode(out + PREFIX.len, digest, ID_SIZE);
	return (struct slice){ out, NAME_SIZE - 1 };
}

bool planner_counts_load(struct planner *planner, struct counted *counted)
{
	char name[NAME_SIZE];
	struct slice value;
	enum store_result result;

	if (counted->is_known)
		return true;
	result = queue_setting_get(planner->queue, name_of(counted, name), &value);
	if (result == STORE_OK && !shaper_unpack(counted->shaper, value))
		log_warn("delivery", "what was sent lately is not known", "key=%s", counted->key);
	else if (result != STORE_OK && result != STORE_NOT_FOUND)
		return planner_store_ok(planner, result);
	counted->is_known = true;
	return true;
}

void planner_counts_note(struct planner *planner, struct counted *counted,
			 const struct shaper_limits *limits)
{
	if ((limits->per_minute > 0 || limits->per_hour > 0 || limits->per_day > 0) &&
	    !list_is_linked(&counted->node))
		list_push_back(&planner->counted, &counted->node);
}

void planner_counts_drop(struct planner *planner)
{
	while (list_pop_front(&planner->counted))
		;
}

bool planner_counts_write(struct planner *planner)
{
	struct list *node;

	while ((node = list_pop_front(&planner->counted))) {
		struct counted *counted = list_entry(node, struct counted, node);
		char name[NAME_SIZE];
		struct buf text;
		bool is_written;

		buf_init(&text, SHAPER_PACKED_MAX);
		shaper_pack(counted->shaper, &text);
		is_written = !text.failed &&
			     planner_store_ok(planner, queue_setting_put(planner->queue,
									 name_of(counted, name),
									 buf_slice(&text)));
		if (text.failed)
			planner->failed_by = STORE_FAILED;
		buf_done(&text);
		if (!is_written)
			return false;
	}
	return true;
}

static bool clean(struct planner *planner)
{
	struct slice name = SLICE_NONE;
	struct slice value;
	char after[NAME_SIZE] = "";
	enum store_result result;

	while ((result = queue_setting_next(planner->queue, PREFIX, slice_of(after), &name,
					    &value)) == STORE_OK) {
		const u64 now_ms = planner->time.due_ms;
		struct shaper shaper = { 0 };

		slice_copy(after, sizeof(after), name);
		if (shaper_unpack(&shaper, value) && shaper_used(&shaper, SHAPER_DAY, now_ms) > 0)
			continue;
		result = queue_setting_delete(planner->queue, slice_of(after));
		if (result != STORE_OK)
			break;
	}
	return result == STORE_NOT_FOUND || planner_store_ok(planner, result);
}

void planner_counts_clean(struct planner *planner)
{
	if (planner->now_ns < planner->next_clean_ns)
		return;
	planner->next_clean_ns = planner->now_ns + 24 * 3600 * NS_PER_S;
	if (queue_begin(planner->queue) != STORE_OK)
		return;
	if (!clean(planner) || queue_commit(planner->queue) != STORE_OK)
		queue_abort(planner->queue);
}
