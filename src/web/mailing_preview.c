#include "web/mailing_preview.h"

#include "base/text.h"
#include "store/row_values.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK (64u << 10)
#define ARENA_MAX (256u << 20)
#define LOOKS 20000 /* contacts, for one whose values are taken */
/* A sandbox without scripts, forms and our origin; images of others are what mail programs show. */
#define GUARDS                                                                                     \
	"Content-Security-Policy: sandbox allow-popups; default-src 'none'; img-src 'self' "       \
	"https: http: data:; style-src 'unsafe-inline'; frame-ancestors 'self'\r\n"               \
	"Referrer-Policy: no-referrer\r\n"                                                         \
	"X-Robots-Tag: noindex\r\n"

static bool compose(struct mailing_preview *preview, const struct contact *contact)
{
	struct campaign_rows *rows = &preview->rows;
	const struct issue *issue = &rows->issue;
	struct slice values[ISSUE_COLUMNS_MAX];
	struct message_recipient recipient = { .values = values,
					       .value_count = issue->column_count,
					       .token = SLICE("preview") };
	struct address address = { 0 };
	struct message *message;
	bool ok;

	if (!row_values_unpack(campaign_rows_values(rows, contact), values, issue->column_count))
		return error_set(&preview->error, "the contact's values are too long");
	if (contact->address.len == 0 ||
	    !address_parse(&address, contact->address, &preview->error)) {
		memcpy(address.local, "reader", 6);
		memcpy(address.domain, "example.com", 11);
		address.local_len = 6;
		address.domain_len = 11;
	}
	recipient.address = &address;
	message = issue_compile(issue, &preview->error);
	if (!message)
		return false;
	ok = message_preview(message, &recipient, &preview->arena, &preview->message,
			     &preview->error) == MESSAGE_OK;
	message_free(message);
	return ok;
}

static bool make(struct call *call, struct mailing_preview *preview,
		 const struct audience_campaign *campaign, const struct contact *given)
{
	struct contact contact = { .address = SLICE(""), .values = SLICE("") };

	if (!campaign_rows_open(&preview->rows, call->web->reader, campaign,
				&call->web->config->web, call->web->links, CAMPAIGN_ROWS_SHOWN,
				&preview->field, &preview->error))
		return false;
	if (given) {
		contact = *given;
	} else {
		segment_walk_begin(preview->rows.walk, call->web->reader, 0, LOOKS);
		if (segment_walk_next(preview->rows.walk, &contact) != SEGMENT_WALK_FOUND)
			contact = (struct contact){ .address = SLICE(""), .values = SLICE("") };
		contact.id = 0; /* its tokens are nobody's */
	}
	return compose(preview, &contact);
}

struct mailing_preview *mailing_preview_make(struct call *call,
					     const struct audience_campaign *campaign,
					     const struct contact *contact, bool *ok)
{
	struct mailing_preview *preview = calloc(1, sizeof(*preview));

	*ok = false;
	if (!preview)
		return NULL;
	arena_init(&preview->arena, ARENA_CHUNK, ARENA_MAX);
	*ok = make(call, preview, campaign, contact);
	if (!*ok)
		error_prefix(&preview->error, "%s", draft_field_name((u32)preview->field));
	return preview;
}

void mailing_preview_free(struct mailing_preview *preview)
{
	if (!preview)
		return;
	campaign_rows_close(&preview->rows);
	arena_done(&preview->arena);
	free(preview);
}

void mailing_preview_answer(struct call *call, const struct mailing_preview *preview)
{
	mailing_preview_show(call, &preview->message);
}

void mailing_preview_show(struct call *call, const struct message_preview *message)
{
	bool has_html = message->html.len > 0;

	buf_add_text(&call->answer_head, GUARDS);
	call_answer_text(call, 200,
			 has_html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8",
			 has_html ? message->html : message->text);
}
