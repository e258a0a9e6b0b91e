/* /admin/sequences/{}/contacts: who is where in a sequence; and the part of a contact's page. */
#include "base/text.h"
#include "message/address.h"
#include "store/audience_contact.h"
#include "web/page_sequence.h"

#include <string.h>

#define PAGE_ROWS 100
#define WHEN_MAX INT64_MAX /* of a query: those who wait for nothing */

enum word {
	WHO, NONE, ENTER, EMAIL, EMAIL_HINT, ADD, NEXT, TAKE_OUT, NOTHING, NO_ADDRESS, NOT_REACHED,
	SEQUENCES, STEP_AT,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[WHO] = { { "Who is where", "連絡先の状況" } },
	[NONE] = { { "Nobody is in it yet.", "対象の連絡先はまだありません。" } },
	[ENTER] = { { "Let a contact enter", "連絡先を追加" } },
	[EMAIL] = { { "E-mail address", "メールアドレス" } },
	[EMAIL_HINT] = { { "Of a contact that is active, and in the sequence's list if it has one.",
			   "有効な連絡先で、対象のリストに登録されている必要があります。" } },
	[ADD] = { { "Enter", "追加" } },
	[NEXT] = { { "Further ones", "続き" } },
	[TAKE_OUT] = { { "Take out", "外す" } },
	[NOTHING] = { { "waits for nothing", "次の配信なし" } },
	[NO_ADDRESS] = { { "This is no e-mail address.", "メールアドレスを確認してください。" } },
	[NOT_REACHED] = { { "This contact is not active, or not in the sequence's list.",
			    "有効でない連絡先か、リストに登録されていません。" } },
	[SEQUENCES] = { { "Step mail", "ステップメール" } },
	[STEP_AT] = { { "next: {1}, ", "次: {1}、" } },
};

static const enum page_tone tones[SEQUENCE_LEFT + 1] = {
	[SEQUENCE_WAITING] = TONE_GOOD,
};

/* The next step and when; a time without a step is when it is looked at again. */
static void show_next(struct page *page, const struct audience_enrolment *e)
{
	struct audience_campaign campaign;
	struct draft draft;

	if (e->at.due_ms == SEQUENCE_NEVER) {
		page_words(page, &words[NOTHING]);
		return;
	}
	if (e->at.step > 0 && sequence_step_draft(page->call->web->reader, e->at.step, &campaign,
						  &draft))
		PAGE_SENTENCE(page, &words[STEP_AT], draft.of[DRAFT_SUBJECT]);
	page_time(page, e->at.due_ms);
}

static void show_row(struct page *page, const struct audience_enrolment *e, bool may_change)
{
	struct contact contact;
	bool is_there = contact_get(page->call->web->reader, e->contact, &contact) == STORE_OK;

	page_row_begin(page);
	page_cell(page);
	PAGE_LINK_TEXT(page, is_there ? contact.address : SLICE("-"), "/admin/contacts/{}",
		       DIGITS(e->contact));
	page_cell(page);
	page_badge(page, tones[e->at.state], &page_enrolment_states[e->at.state]);
	page_cell(page);
	show_next(page, e);
	page_cell_number(page, e->at.done_count);
	page_cell_time(page, e->entered_ms);
	page_cell(page);
	if (may_change && e->at.state == SEQUENCE_WAITING)
		PAGE_BUTTON(page, TONE_NEUTRAL, &words[TAKE_OUT],
			    "/admin/sequences/{}/contacts/{}/leave", DIGITS(e->sequence),
			    DIGITS(e->contact));
	page_row_end(page);
}

static void show_rows(struct page *page, const struct audience_sequence *s,
		      struct enrolment_place *place)
{
	static const struct page_column columns[] = {
		{ { { "Contact", "連絡先" } }, false },
		{ { { "State", "状態" } }, false },
		{ { { "Next", "次の配信" } }, false },
		{ { { "Steps done", "済んだステップ" } }, true },
		{ { { "Entered", "開始日時" } }, false },
		{ { { "More", "操作" } }, false },
		{ { { NULL, NULL } }, false },
	};
	bool may_change = web_route_is_open(page->call, "/admin/sequences/new") &&
			  s->state != AUDIENCE_SEQUENCE_ARCHIVED;
	struct audience_txn *txn = page->call->web->reader;
	struct audience_enrolment enrolment;
	u32 count = 0;

	page_table_begin(page, &words[WHO], columns);
	while (count < PAGE_ROWS && enrolment_next(txn, s->id, place, place) == STORE_OK &&
	       enrolment_get(txn, s->id, place->contact, &enrolment) == STORE_OK) {
		show_row(page, &enrolment, may_change);
		count++;
	}
	page_table_end(page);
	if (count == 0)
		page_nothing(page, &words[NONE]);
	if (count < PAGE_ROWS)
		return;
	PAGE_HTML(page, "<p>");
	PAGE_LINK(page, &words[NEXT], "/admin/sequences/{}/contacts?due={}&after={}",
		  DIGITS(s->id), DIGITS(min_u64(place->due_ms, WHEN_MAX)),
		  DIGITS(place->contact));
	PAGE_HTML(page, "</p>");
}

static void show_entry(struct page *page, const struct audience_sequence *s,
		       const struct words *problem)
{
	if (!web_route_is_open(page->call, "/admin/sequences/new") ||
	    (s->state != AUDIENCE_SEQUENCE_RUNNING && s->state != AUDIENCE_SEQUENCE_PAUSED))
		return;
	page_card_begin(page, &words[ENTER]);
	PAGE_FORM(page, "/admin/sequences/{}/contacts", DIGITS(s->id));
	page_field(page, &(struct page_field){ .name = "email",
					       .label = &words[EMAIL],
					       .hint = &words[EMAIL_HINT],
					       .error = problem,
					       .value = problem ? form_text(page->call->form,
									    "email")
								: SLICE(""),
					       .type = "email",
					       .autocomplete = "off",
					       .is_required = true });
	page_submit(page, TONE_GOOD, &words[ADD]);
	page_form_end(page);
	page_card_end(page);
}

static void show(struct call *call, const struct audience_sequence *s,
		 struct enrolment_place place, const struct words *problem)
{
	const struct page_head head = { .place = PLACE_SEQUENCES,
					.title = &words[WHO],
					.crumbs = { { "/admin/sequences",
						      &page_sequence_title } } };
	struct page page;

	page_begin(&page, call, &head);
	PAGE_HTML(&page, "<p>");
	PAGE_LINK_TEXT(&page, s->of[SEQUENCE_NAME], "/admin/sequences/{}", DIGITS(s->id));
	PAGE_HTML(&page, "</p>");
	show_entry(&page, s, problem);
	show_rows(&page, s, &place);
	page_end(&page, problem ? 422 : 200);
}

void page_enrolments(struct call *call)
{
	struct audience_sequence s;
	u64 due = 0;
	u64 after = 0;

	if (!web_query_number(call, SLICE("due"), &due) ||
	    !web_query_number(call, SLICE("after"), &after))
		return;
	if (sequence_find(call, &s))
		show(call, &s,
		     (struct enrolment_place){ due == WHEN_MAX ? SEQUENCE_NEVER : due,
					       (u32)min_u64(after, UINT32_MAX) },
		     NULL);
	audience_abort(call->web->reader);
}

/* ---- entering and leaving ---- */

static void show_again(struct call *call, const struct words *problem)
{
	struct audience_sequence s;

	if (sequence_find(call, &s))
		show(call, &s, (struct enrolment_place){ 0, 0 }, problem);
	audience_abort(call->web->reader);
}

static void on_done(struct call *call, struct call_order *base)
{
	const struct sequence_order *order = container_of(base, struct sequence_order, base);

	if (!call_order_is_well(call, base) || !page_sequence_is_well(call, order))
		return;
	if (order->outcome == SEQUENCE_IS_WRONG)
		show_again(call, &words[NOT_REACHED]);
	else
		CALL_REDIRECT(call, TONE_GOOD, NULL, "/admin/sequences/{}/contacts",
			      DIGITS(order->id));
}

/* NULL: the call is answered. */
static struct sequence_order *begin(struct call *call, enum sequence_act_kind kind)
{
	struct sequence_order *order = sequence_order_new(call, kind);

	if (!order)
		return NULL;
	order->at_ms = order->now_ms;
	if (slice_to_u32(slice_of(call->argument), &order->id))
		return order;
	sequence_order_free(order);
	call_problem_page(call, 404, NULL);
	return NULL;
}

void page_enrolment_add(struct call *call)
{
	struct sequence_order *order = begin(call, SEQUENCE_ENROL);
	struct address address;
	struct error error;
	struct buf key;

	if (!order)
		return;
	if (!address_parse(&address, form_text(call->form, "email"), &error)) {
		sequence_order_free(order);
		show_again(call, &words[NO_ADDRESS]);
		return;
	}
	key = (struct buf){ .ptr = order->key,
			    .size = sizeof(order->key) - 1,
			    .max = sizeof(order->key) - 1 };
	address_add_key(&address, &key);
	order->key[key.len] = '\0';
	sequence_order_give(order, call, on_done);
}

void page_enrolment_end(struct call *call)
{
	struct sequence_order *order = begin(call, SEQUENCE_LEAVE);

	if (!order)
		return;
	if (slice_to_u32(slice_of(call->second), &order->contact)) {
		sequence_order_give(order, call, on_done);
		return;
	}
	sequence_order_free(order);
	call_problem_page(call, 404, NULL);
}

/* ---- of one contact ---- */

void page_contact_sequences(struct page *page, u32 contact)
{
	static const struct page_column columns[] = {
		{ { { "Sequence", "ステップメール" } }, false },
		{ { { "State", "状態" } }, false },
		{ { { "Next", "次の配信" } }, false },
		{ { { NULL, NULL } }, false },
	};
	struct audience_txn *txn = page->call->web->reader;
	struct audience_enrolment e = { 0 };
	struct audience_sequence s;

	if (enrolment_of_contact(txn, contact, 0, &e) != STORE_OK)
		return;
	page_card_begin(page, &words[SEQUENCES]);
	page_table_begin(page, &words[SEQUENCES], columns);
	do {
		if (audience_sequence_get(txn, e.sequence, &s) != STORE_OK)
			continue;
		page_row_begin(page);
		page_cell(page);
		PAGE_LINK_TEXT(page, s.of[SEQUENCE_NAME], "/admin/sequences/{}", DIGITS(s.id));
		page_cell(page);
		page_badge(page, tones[e.at.state], &page_enrolment_states[e.at.state]);
		page_cell(page);
		show_next(page, &e);
		page_row_end(page);
	} while (enrolment_of_contact(txn, contact, e.sequence, &e) == STORE_OK);
	page_table_end(page);
	page_card_end(page);
}
