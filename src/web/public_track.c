/* /t/o/TOKEN and /t/c/TOKEN/N: opens and clicks of mail's readers, answered at once. */
#include "base/clock.h"
#include "base/text.h"
#include "campaign/link_fill.h"
#include "store/audience_attribute.h"
#include "store/audience_campaign_link.h"
#include "store/audience_contact.h"
#include "web/public_token.h"
#include "web/route.h"
#include "web/track.h"

/* The smallest transparent GIF (GIF89a): one pixel. */
static const char pixel[] = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff"
			    "\x21\xf9\x04\x01\x00\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00"
			    "\x00\x02\x02\x44\x01\x00\x3b";

static void note(struct call *call, const struct link_token *token, u32 link, enum visitor visitor)
{
	track_add(call->web->track, &(struct reaction){ .campaign = token->campaign,
							.contact = token->contact,
							.at_s = (u32)(clock_wall_ms() / 1000),
							.link = link,
							.visitor = visitor });
}

/* Whoever asks gets the picture: a broken image tells more about a mail than none. */
void public_open(struct call *call)
{
	struct visit visit = public_visit(call);
	struct link_token token;

	if (public_token_read(call, LINK_TRACK, &token))
		note(call, &token, 0, visit_judge_open(&visit));
	call_answer_text(call, 200, "image/gif", (struct slice){ pixel, sizeof(pixel) - 1 });
}

/* ---- clicks ---- */

/* Whose values the link's fields get. */
struct clicker {
	struct audience_txn *txn;
	struct contact contact;
};

/* By the names that templates use. */
static struct slice find_value(void *owner, struct slice name)
{
	struct clicker *clicker = owner;
	struct attribute attribute;

	if (slice_equal(name, SLICE("email")))
		return clicker->contact.address;
	if (attribute_find(clicker->txn, name, &attribute) != STORE_OK)
		return SLICE_NONE;
	return contact_find_value(clicker->contact.values, attribute.id);
}

/* Appends where the link leads. NOT_FOUND: nowhere that we know of. */
static enum store_result find_place(struct call *call, const struct link_token *token, u32 number,
				    struct buf *place)
{
	struct clicker clicker = { .txn = call->web->reader };
	const struct link_values values = { .owner = &clicker, .find = find_value };
	enum store_result result;
	struct slice url;

	result = audience_begin_read(clicker.txn);
	if (result != STORE_OK)
		return result;
	result = campaign_link_get(clicker.txn, token->campaign, number, &url);
	/* An erased contact has no values: the link is filled without. */
	if (result == STORE_OK && slice_find(url, SLICE("{{")) >= 0) {
		result = contact_get(clicker.txn, token->contact, &clicker.contact);
		if (result == STORE_NOT_FOUND)
			result = STORE_OK;
	}
	if (result == STORE_OK && !link_fill(url, &values, place))
		result = STORE_NOT_FOUND;
	audience_abort(clicker.txn);
	return result;
}

static void refuse(struct call *call, enum store_result result)
{
	buf_reset(&call->answer_head);
	if (result == STORE_NOT_FOUND)
		call_answer_text(call, 404, "text/plain; charset=utf-8",
				 SLICE("このリンクは無効です。\nThis link is not valid.\n"));
	else
		call_answer_text(call, 503, "text/plain; charset=utf-8",
				 SLICE("ただいまご利用になれません。\nNot now. Please try again "
				       "in a moment.\n"));
}

void public_click(struct call *call)
{
	struct visit visit = public_visit(call);
	struct buf *head = &call->answer_head;
	enum store_result result = STORE_NOT_FOUND;
	struct link_token token;
	u32 number;

	if (public_token_read(call, LINK_TRACK, &token) &&
	    slice_to_u32(slice_of(call->second), &number) && number > 0) {
		buf_add_text(head, "Referrer-Policy: no-referrer\r\nLocation: ");
		result = find_place(call, &token, number, head);
		buf_add_text(head, "\r\n");
	}
	if (result != STORE_OK || head->failed) {
		refuse(call, result);
		return;
	}
	note(call, &token, number, visit_judge_click(&visit));
	call_answer_nothing(call, 302);
}
