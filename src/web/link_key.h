/*
 * The keys of links' tokens (campaign/link_token.h) where this role keeps them: as a setting of the
 * audience. Made at the first start, and a new one at the first start after the newest is old.
 */
#ifndef WEB_LINK_KEY_H
#define WEB_LINK_KEY_H

#include "base/error.h"
#include "campaign/link_token.h"
#include "web/scribe.h"

/* Waits for the disk. False and a sentence: the store failed, or the setting is damaged. */
bool link_key_open(struct scribe *scribe, u64 now_ms, struct link_keys *keys,
		   struct error *error) MUST_CHECK;

#endif
