/* What goes out broken without an image: this keeps it from being deleted, whoever insists. */
#ifndef WEB_IMAGE_NEED_H
#define WEB_IMAGE_NEED_H

#include "store/audience_asset.h"
#include "web/use_names.h"

/*
 * Says who needs it: campaigns that are scheduled, under way or paused, and step mail that runs
 * or is paused, both with what their templates and blocks say: campaign "December", step mail
 * "Welcome". Empty: nobody. Within a transaction; reads the texts of these alone.
 */
enum store_result image_needs(struct audience_txn *txn, const u8 id[ASSET_ID_SIZE], bool japanese,
			      char who[USE_NAMES_MAX]) MUST_CHECK;

#endif
