#include "store/audience_hold.h"

#define NAME SLICE("held")

enum store_result audience_is_held(struct audience_txn *txn, bool *held)
{
	struct slice value;
	enum store_result result = audience_setting_get(txn, NAME, &value);

	*held = result == STORE_OK;
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

enum store_result audience_hold(struct audience_txn *txn)
{
	return audience_setting_put(txn, NAME, SLICE("restored"));
}

enum store_result audience_release(struct audience_txn *txn)
{
	enum store_result result = audience_setting_delete(txn, NAME);

	return result == STORE_NOT_FOUND ? STORE_OK : result;
}
