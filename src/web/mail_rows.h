/*
 * The member `to` of a call: who gets the mail, each with their own values.
 *
 *   "to": [ "ann@example.jp", {"address": "...", "name": "...", "values": {"code": "A1"}} ]
 *
 * Columns are the names of all values, in the order in which they are met; who has no value for one
 * has an empty one. `name` is a value, too, unless `values` has another.
 */
#ifndef WEB_MAIL_ROWS_H
#define WEB_MAIL_ROWS_H

#include "control/campaign.h"
#include "web/call.h"

#define MAIL_ROWS_MAX 10000 /* of one call */
/* The column of display names; nobody else's begin with "_". */
#define MAIL_NAME_COLUMN "_name"

struct mail_rows {
	const char *columns[CONTROL_COLUMNS_MAX]; /* borrowed from the call's JSON */
	size_t column_count;
	bool has_names;
	struct buf bytes; /* as control_row_add makes them */
	u32 count;
	json_t *rejected; /* [{address, reason}]: those that come twice */
};

void mail_rows_init(struct mail_rows *rows);
void mail_rows_done(struct mail_rows *rows);

/* Reads call->json's `to`. False: the call is answered. */
bool mail_rows_read(struct mail_rows *rows, struct call *call) MUST_CHECK;

/* Adds them to an exchange, in as many DATA frames as they need: for a campaign, for a letter. */
void mail_rows_add(const struct mail_rows *rows, struct exchange *exchange);
void mail_rows_add_letter(const struct mail_rows *rows, struct exchange *exchange);

#endif
