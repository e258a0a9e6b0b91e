#include "web/campaign_change.h"

#include "base/text.h"

#include <string.h>

static enum store_result edit(struct campaign_change *change, struct audience_campaign *c,
			      struct audience_txn *txn)
{
	char customer[AUDIENCE_CAMPAIGN_CUSTOMER_MAX + 1];
	char reason[AUDIENCE_CAMPAIGN_REASON_MAX + 1];
	struct buf draft;
	enum store_result result;

	if (!slice_copy(customer, sizeof(customer), c->customer) ||
	    !slice_copy(reason, sizeof(reason), c->reason))
		return STORE_FAILED;
	buf_init(&draft, AUDIENCE_CAMPAIGN_DRAFT_MAX);
	buf_add_slice(&draft, c->draft);
	c->customer = slice_of(customer);
	c->reason = slice_of(reason);
	c->draft = buf_slice(&draft);
	result = draft.failed ? STORE_FULL : change->edit(change, c, txn);
	if (result == STORE_OK)
		result = audience_campaign_put(txn, c);
	buf_done(&draft);
	return result;
}

enum store_result campaign_change_apply(struct campaign_change *change, struct audience_txn *txn)
{
	struct audience_campaign campaign;
	enum store_result result = audience_campaign_get(txn, change->id, &campaign);

	change->is_there = result == STORE_OK;
	change->is_done = false;
	if (result == STORE_NOT_FOUND)
		return STORE_OK;
	if (result != STORE_OK)
		return result;
	change->state = campaign.state;
	if (!(change->from >> campaign.state & 1))
		return STORE_OK;
	change->is_done = true;
	return edit(change, &campaign, txn);
}

struct waiting {
	struct scribe_order order;
	struct campaign_change *change;
};

static enum store_result apply(struct scribe_order *order, struct audience_txn *txn)
{
	return campaign_change_apply(container_of(order, struct waiting, order)->change, txn);
}

enum store_result campaign_change_do(struct campaign_change *change, struct scribe *scribe,
				     struct error *error)
{
	struct waiting waiting = { .order.apply = apply, .change = change };
	enum store_result result = scribe_do(scribe, &waiting.order);

	if (result != STORE_OK)
		*error = waiting.order.error;
	return result;
}
