/*
 * /api/v1/mailings/{}/test: a draft as it will look, to a few addresses, with the values of one
 * contact. Its links are the author's own, and the pages behind its tokens are nobody's: what a
 * colleague clicks is not counted and unsubscribes no one.
 */
#include "base/random.h"
#include "base/text.h"
#include "control/letter.h"
#include "web/campaign_rows.h"
#include "web/contact_search.h"
#include "web/field.h"
#include "web/mailing.h"
#include "web/route.h"

#include <stdlib.h>
#include <string.h>

#define TEST_MAX 20 /* addresses */
#define LOOKS 20000 /* contacts, for one whose values are taken */
#define ID_BYTES 16
#define URL_MAX_BYTES 1024

/* The recipients, all with the same values. False: answered. */
static bool add_recipients(struct call *call, struct slice values, struct buf *batch)
{
	static const char *const names[] = { "to", "contact", NULL };
	char pointer[FIELD_POINTER_MAX];
	char list[FIELD_POINTER_MAX];
	const json_t *to;

	if (!field_known(call, call->json, "", names) ||
	    !field_list(call, call->json, "", "to", TEST_MAX, &to))
		return false;
	if (json_array_size(to) == 0) {
		call_refuse(call, 422, "/to", "whom does it go to?");
		return false;
	}
	field_pointer(list, "", "to");
	for (size_t i = 0; i < json_array_size(to); i++) {
		const char *text = json_string_value(json_array_get(to, i));
		struct control_recipient recipient = { .values = values, .orcpt = SLICE_NONE };
		char wire[ADDRESS_WIRE_MAX];
		struct address address;
		struct error error = { "this is no text" };
		struct buf room;

		if (!text || !address_parse(&address, slice_of(text), &error)) {
			call_refuse(call, 422, field_pointer_at(pointer, list, i), "%s",
				    error.text);
			return false;
		}
		buf_init(&room, ADDRESS_WIRE_MAX);
		address_add_wire(&address, &room);
		memcpy(wire, room.ptr, room.len);
		recipient.address = (struct slice){ wire, room.len };
		buf_done(&room);
		control_recipient_add(batch, &recipient);
	}
	return true;
}

/*
 * Whose values: the one that is asked for, or the first of those that it goes to; nobody's, when a
 * key may not see contacts.
 */
static bool find_contact(struct call *call, struct campaign_rows *rows, struct contact *contact)
{
	u64 id = 0;

	if (!field_number(call, call->json, "", "contact", UINT32_MAX, &id))
		return false;
	*contact = (struct contact){ .address = SLICE(""), .values = SLICE("") };
	if (id > 0)
		return contact_lend(call, (u32)id, contact);
	if (!contact_may_be_seen(call))
		return true;
	segment_walk_begin(rows->walk, call->web->reader, 0, LOOKS);
	if (segment_walk_next(rows->walk, contact) != SEGMENT_WALK_FOUND)
		*contact = (struct contact){ .address = SLICE(""), .values = SLICE("") };
	return true;
}

static void ask_send(struct call *call, const struct campaign_rows *rows, const struct buf *batch,
		     const struct exchange_events *events)
{
	const struct issue *issue = &rows->issue;
	bool is_whole = issue->whole.len > 0;
	struct control_letter letter = { .content = { .customer = issue->domain,
						      .source = is_whole ? CONTROL_SOURCE_WHOLE
									 : CONTROL_SOURCE_PARTS,
						      .source_name = "mail",
						      .column_count = issue->column_count,
						      .charset = "utf-8",
						      .encoding = "auto" },
					 .key = call->id,
					 .kind = "submitted" };
	char url[URL_MAX_BYTES];
	u8 bytes[ID_BYTES];

	random_bytes(bytes, sizeof(bytes));
	call->id[base32_encode(call->id, bytes, ID_BYTES)] = '\0';
	for (size_t i = 0; i < issue->column_count; i++)
		letter.content.columns[i] = issue->columns[i].name;
	for (u32 tag = CONTROL_DATA_WHOLE; tag <= CONTROL_DATA_PARTS; tag++)
		letter.content.sizes[tag] =
			campaign_rows_data(rows, (enum control_data_tag)tag).len;
	if (issue->unsubscribe_url.len > 0 &&
	    slice_copy(url, sizeof(url), buf_slice(&issue->unsubscribe_url)))
		letter.content.unsubscribe_url = url;
	if (!call_ask(call, events, control_letter_json(&letter)))
		return;
	for (u32 tag = CONTROL_DATA_WHOLE; tag <= CONTROL_DATA_PARTS; tag++)
		exchange_data(call->exchange, (enum control_data_tag)tag,
			      campaign_rows_data(rows, (enum control_data_tag)tag));
	exchange_data(call->exchange, CONTROL_DATA_RECIPIENTS, buf_slice(batch));
	exchange_end(call->exchange);
	call_ask_end(call);
}

static void try_send(struct call *call, struct campaign_rows *rows,
		     const struct audience_campaign *campaign,
		     const struct exchange_events *events)
{
	char pointer[FIELD_POINTER_MAX];
	enum draft_field field;
	struct contact contact;
	struct error error;
	struct buf batch;

	if (!campaign_rows_open(rows, call->web->reader, campaign, &call->web->config->web,
				call->web->links, CAMPAIGN_ROWS_TESTED, &field, &error)) {
		call_refuse(call, 422, field_pointer(pointer, "", draft_field_name((u32)field)),
			    "%s", error.text);
		return;
	}
	if (!find_contact(call, rows, &contact))
		return;
	contact.id = 0; /* its tokens are nobody's */
	buf_init(&batch, FRAME_PAYLOAD_MAX - 1);
	if (add_recipients(call, campaign_rows_values(rows, &contact), &batch)) {
		if (batch.failed || rows->values.failed)
			call_refuse(call, 422, "/contact", "its values are too long");
		else
			ask_send(call, rows, &batch, events);
	}
	buf_done(&batch);
}

void mailing_test_of(struct call *call, const struct audience_campaign *campaign,
		     const struct exchange_events *events)
{
	struct campaign_rows *rows = calloc(1, sizeof(*rows));

	if (!rows) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	try_send(call, rows, campaign, events);
	campaign_rows_close(rows);
	free(rows);
}

void mailing_test(struct call *call, const struct exchange_events *events)
{
	struct audience_campaign campaign;

	if (mailing_find(call, &campaign))
		mailing_test_of(call, &campaign, events);
	audience_abort(call->web->reader);
}

static void on_kept(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	call->exchange = NULL;
	if (end == EXCHANGE_REPLIED)
		call_answer(call, 202,
			    json_pack("{s:s, s:O}", "id", call->id, "accepted",
				      json_object_get(json, "recipients")));
	else
		call_refuse_end(call, end, json);
}

const struct exchange_events api_test_events = { NULL, on_kept };

void api_mailing_test(struct call *call)
{
	mailing_test(call, &api_test_events);
}
