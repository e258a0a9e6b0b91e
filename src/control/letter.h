/*
 * The commands letter.send and letter.status: one message with its recipients that is no campaign.
 *
 *   client: REQUEST letter.send, DATA..., END      daemon: REPLY {id, known, recipients}
 *
 * The template's parts come as for campaign.create (campaign.h), then recipients in whole batches:
 *
 *   u8 notify, u16 address length, address (wire form), u16 orcpt length, orcpt,
 *   u16 values length, values (store/row_values.h)
 *
 * (big-endian). The REPLY comes when the letter is durable; an ERROR, and a connection that breaks
 * before the REPLY, mean: send it again under the same key, it will be kept once.
 */
#ifndef CONTROL_LETTER_H
#define CONTROL_LETTER_H

#include "control/campaign.h"

#define CONTROL_KEY_MAX 64
#define CONTROL_SENDER_MAX 400
#define CONTROL_ENVID_MAX 100
#define CONTROL_ORCPT_MAX 500
#define CONTROL_RECIPIENTS_MAX 10000

/* Texts are borrowed, as in control_campaign_create. */
struct control_letter {
	/*
	 * Read and written of it: customer, source, sizes, source_name, columns, charset, encoding,
	 * expire_ms, require_unsubscribe (default false), unsubscribe_url and _mailto.
	 */
	struct control_campaign_create content;
	const char *key;    /* 1 to CONTROL_KEY_MAX bytes */
	const char *kind;   /* "submitted" (default), "forward", "report", "notice" */
	const char *sender; /* whom notices go to; NULL: nobody */
	const char *envid;  /* NULL: none */
	const char *ret;    /* "full", "hdrs"; NULL: not said */
	bool is_literal;    /* no merge fields: somebody's own mail */
};

bool control_read_letter(const struct control_request *request, struct control_letter *letter,
			 struct error *error);
/* The request, "command" included; NULL: no memory or a text that is not UTF-8. */
json_t *control_letter_json(const struct control_letter *letter) MUST_CHECK;

struct control_recipient {
	struct slice address;
	struct slice values;
	struct slice orcpt;
	u8 notify; /* RFC 3461 section 4.1: 1 never, 2 success, 4 failure, 8 delay; 0: not given */
};

/* Appends one recipient to a batch; lengths up to the maxima (asserted). */
void control_recipient_add(struct buf *batch, const struct control_recipient *recipient);
/* Takes the next one off a batch; slices are views of it. BAD: cut, or over a maximum. */
enum control_row_result control_recipient_take(struct slice *rest,
					       struct control_recipient *recipient) MUST_CHECK;

#endif
