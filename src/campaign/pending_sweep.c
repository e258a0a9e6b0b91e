#include "campaign/pending_sweep.h"

#include "base/text.h"
#include "message/address.h"
#include "store/audience_audit.h"

#include <stdio.h>

static bool is_due(const struct pending_sweep *sweep, const struct contact *contact)
{
	return contact->state == CONTACT_PENDING &&
	       max_u64(contact->created_ms, contact->changed_ms) < sweep->before_ms;
}

enum store_result pending_sweep_find(struct pending_sweep *sweep, struct audience_txn *txn,
				     u32 most)
{
	struct contact contact;

	sweep->count = 0;
	for (u32 i = 0; i < most && sweep->count < PENDING_SWEEP_MAX; i++) {
		enum store_result result = contact_after(txn, sweep->after, &contact);

		if (result != STORE_OK)
			return result;
		sweep->after = contact.id;
		if (is_due(sweep, &contact))
			sweep->ids[sweep->count++] = contact.id;
	}
	return STORE_OK;
}

static enum store_result note(struct audience_txn *txn, u64 now_ms, u32 erased)
{
	struct audit_entry entry = { .at_ms = now_ms,
				     .who = SLICE("hikyaku"),
				     .action = SLICE("contact.sweep") };
	char object[64];

	snprintf(object, sizeof(object), "%u contacts that never confirmed", erased);
	entry.object = slice_of(object);
	return audit_add(txn, &entry);
}

enum store_result pending_sweep_erase(const struct pending_sweep *sweep, struct audience_txn *txn,
				      u64 now_ms, u32 *erased)
{
	enum store_result result = STORE_OK;

	*erased = 0;
	for (u32 i = 0; i < sweep->count && result == STORE_OK; i++) {
		char key[ADDRESS_WIRE_MAX];
		struct contact contact;

		result = contact_get(txn, sweep->ids[i], &contact);
		if (result == STORE_NOT_FOUND || (result == STORE_OK && !is_due(sweep, &contact))) {
			result = STORE_OK;
			continue;
		}
		if (result != STORE_OK)
			break;
		result = contact_erase(txn, contact.id,
				       (struct slice){ key, address_key_of_wire(
								   key, contact.address) });
		*erased += result == STORE_OK;
	}
	return result == STORE_OK && *erased > 0 ? note(txn, now_ms, *erased) : result;
}
