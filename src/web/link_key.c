#include "web/link_key.h"

#include "base/text.h"

struct job {
	struct scribe_order order;
	u64 now_ms;
	struct link_keys *keys;
	bool is_damaged;
};

static enum store_result apply(struct scribe_order *order, struct audience_txn *txn)
{
	struct job *job = container_of(order, struct job, order);
	struct slice name = slice_of(LINK_KEYS_SETTING);
	u8 record[LINK_KEYS_RECORD_MAX];
	struct slice known;
	enum store_result result = audience_setting_get(txn, name, &known);

	*job->keys = (struct link_keys){ 0 };
	job->is_damaged = result == STORE_OK && !link_keys_read(job->keys, known);
	if ((result != STORE_OK && result != STORE_NOT_FOUND) || job->is_damaged)
		return result;
	if (!link_keys_are_old(job->keys, job->now_ms))
		return STORE_OK;
	link_keys_renew(job->keys, job->now_ms);
	return audience_setting_put(
		txn, name,
		(struct slice){ (const char *)record, link_keys_write(job->keys, record) });
}

bool link_key_open(struct scribe *scribe, u64 now_ms, struct link_keys *keys, struct error *error)
{
	struct job job = { .order.apply = apply, .now_ms = now_ms, .keys = keys };

	if (scribe_do(scribe, &job.order) != STORE_OK)
		return error_set(error, "%s", job.order.error.text);
	return !job.is_damaged ||
	       error_set(error, "the keys of links are damaged: the setting " LINK_KEYS_SETTING
				" of the audience");
}
