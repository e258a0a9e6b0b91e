/* /api/v1/identity: what DNS says of the domains that mail is sent for, and asking it anew. */
#include "base/text.h"
#include "web/call.h"
#include "web/identity.h"
#include "web/route.h"

static bool may_see(const struct call *call, const char *domain)
{
	return !call->key.customer[0] ||
	       slice_equal(slice_of(domain), slice_of(call->key.customer));
}

void api_identity_show(struct call *call)
{
	const struct config *config = call->web->config;
	struct audience_txn *txn = call->web->reader;
	json_t *list = json_array();
	enum store_result result = audience_begin_read(txn);

	for (size_t i = 0; i < config->customer_count && result == STORE_OK; i++) {
		const char *domain = config->customers[i].domain;
		json_t *latest = may_see(call, domain) ? identity_latest(txn, slice_of(domain))
						       : NULL;

		if (latest)
			json_array_append_new(list, latest);
	}
	audience_abort(txn);
	if (result == STORE_OK) {
		call_answer(call, 200, json_pack("{s:o}", "domains", list));
		return;
	}
	json_decref(list);
	call_refuse(call, 500, NULL, "%s", audience_error_text(txn));
}

void api_identity_check(struct call *call)
{
	(void)identity_ask_anew(call->web->identity);
	call_answer(call, 202, json_pack("{s:b}", "checking", true));
}
