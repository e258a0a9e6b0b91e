/* What is done to a sequence and its steps by a button, and what is said of it. */
#include "base/text.h"
#include "web/bringer.h"
#include "web/page_sequence.h"
#include "web/sequence_start.h"

#include <string.h>

enum word {
	DONE, WRONG_STATE, NOT_THERE, NO_STEP, NO_CONTACT, TOO_MANY, CANNOT, ALL_THE_SAME,
	STEPS,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[DONE] = { { "Done.", "完了しました。" } },
	[WRONG_STATE] = { { "That cannot be done in its state.", "現在の状態では実行できません。" } },
	[NOT_THERE] = { { "There is no such sequence.", "ステップメールが見つかりません。" } },
	[NO_STEP] = { { "There is no such step.", "ステップが見つかりません。" } },
	[NO_CONTACT] = { { "There is no such contact.", "連絡先が見つかりません。" } },
	[TOO_MANY] = { { "There are as many as there may be.", "これ以上は追加できません。" } },
	[CANNOT] = { { "It cannot be done as it is.", "このままでは実行できません。" } },
	[ALL_THE_SAME] = { { "Start all the same", "それでも開始する" } },
	[STEPS] = { { "Steps", "ステップ" } },
};

bool page_sequence_is_well(struct call *call, const struct sequence_order *order)
{
	struct slice id = DIGITS(order->id);

	switch (order->outcome) {
	case SEQUENCE_IS_DONE:
		bringer_wake(call->web->bringer);
		return true;
	case SEQUENCE_IS_WRONG:
		return true;
	case SEQUENCE_IS_NOT_THERE:
		call_problem_page(call, 404, &words[NOT_THERE]);
		return false;
	case SEQUENCE_IS_IN_ANOTHER_STATE:
		CALL_REDIRECT(call, TONE_BAD, &words[WRONG_STATE], "/admin/sequences/{}", id);
		return false;
	case SEQUENCE_HAS_NO_STEP:
		CALL_REDIRECT(call, TONE_BAD, &words[NO_STEP], "/admin/sequences/{}", id);
		return false;
	case SEQUENCE_HAS_NO_CONTACT:
		CALL_REDIRECT(call, TONE_BAD, &words[NO_CONTACT], "/admin/sequences/{}/contacts",
			      id);
		return false;
	case SEQUENCE_IS_TOO_MANY:
		call_problem_page(call, 409, &words[TOO_MANY]);
		return false;
	}
	return false;
}

/* It cannot run as it is: a step is not whole. */
static void show_wrong(struct call *call, const struct sequence_order *order)
{
	const struct page_head head = { .place = PLACE_SEQUENCES,
					.title = &page_sequence_title,
					.crumbs = { { "/admin/sequences",
						      &page_sequence_title } } };
	char overrides[SEQUENCE_START_WORDS];
	struct page page;

	sequence_start_write(order->overrides | order->wants_override, overrides);
	page_begin(&page, call, &head);
	page_message(&page, TONE_BAD, &words[CANNOT]);
	PAGE_HTML(&page, "<p>");
	page_cstr(&page, order->error.text);
	PAGE_HTML(&page, "</p><p>");
	if (order->wrong_step > 0) {
		PAGE_HTML(&page, "<a");
		PAGE_URL(&page, "href", "/admin/sequences/{}/steps/{}", DIGITS(order->id),
			 DIGITS(order->wrong_step));
		PAGE_HTML(&page, ">");
		page_step_subject(&page, order->wrong_step);
		PAGE_HTML(&page, "</a>");
	} else {
		PAGE_LINK(&page, &words[STEPS], "/admin/sequences/{}", DIGITS(order->id));
	}
	PAGE_HTML(&page, "</p>");
	if (order->wants_override) {
		PAGE_FORM(&page, "/admin/sequences/{}/start", DIGITS(order->id));
		page_hidden(&page, "override", slice_of(overrides));
		page_submit(&page, TONE_BAD, &words[ALL_THE_SAME]);
		page_form_end(&page);
	}
	page_end(&page, 422);
}

void page_sequence_answer(struct call *call, struct call_order *base)
{
	const struct sequence_order *order = container_of(base, struct sequence_order, base);

	if (!call_order_is_well(call, base) || !page_sequence_is_well(call, order))
		return;
	if (order->outcome == SEQUENCE_IS_WRONG) {
		if (audience_begin_read(call->web->reader) == STORE_OK)
			show_wrong(call, order);
		else
			call_refuse(call, 503, NULL, "contacts cannot be read");
		audience_abort(call->web->reader);
	} else if (order->kind == SEQUENCE_DELETE) {
		CALL_REDIRECT(call, TONE_GOOD, &words[DONE], "/admin/sequences");
	} else {
		CALL_REDIRECT(call, TONE_GOOD, &words[DONE], "/admin/sequences/{}",
			      DIGITS(order->id));
	}
}

void page_sequence_order(struct call *call)
{
	static const struct {
		const char *verb;
		enum sequence_act_kind kind;
	} rows[] = {
		{ "start", SEQUENCE_START },
		{ "pause", SEQUENCE_PAUSE },
		{ "archive", SEQUENCE_ARCHIVE },
		{ "delete", SEQUENCE_DELETE },
	};
	struct sequence_order *order;

	for (size_t i = 0; i < array_count(rows); i++) {
		if (strcmp(rows[i].verb, call->second) != 0)
			continue;
		order = sequence_order_new(call, rows[i].kind);
		if (!order)
			return;
		if (!slice_to_u32(slice_of(call->argument), &order->id) ||
		    !sequence_start_read(form_text(call->form, "override"),
					 &order->overrides)) {
			sequence_order_free(order);
			call_problem_page(call, 404, &words[NOT_THERE]);
		} else if (order->kind == SEQUENCE_START) {
			order->language = call_language(call);
			sequence_start_give(order, call, page_sequence_answer);
		} else {
			sequence_order_give(order, call, page_sequence_answer);
		}
		return;
	}
	call_problem_page(call, 404, NULL);
}

/* Where the step is now. False: the call is answered. */
static bool place_of(struct call *call, u32 step, u32 *at, u32 *sequence)
{
	struct audience_sequence s;
	bool is_there = sequence_find(call, &s);

	*at = UINT32_MAX;
	for (u32 i = 0; is_there && i < s.step_count; i++) {
		if (s.steps[i].id == step)
			*at = i;
	}
	audience_abort(call->web->reader);
	if (is_there && *at == UINT32_MAX)
		call_problem_page(call, 404, &words[NO_STEP]);
	*sequence = is_there ? s.id : 0;
	return is_there && *at != UINT32_MAX;
}

void page_step_order(struct call *call)
{
	struct slice what = form_text(call->form, "do");
	struct sequence_order *order;
	bool deletes = slice_equal(what, SLICE("delete"));
	u32 sequence;
	u32 step = 0;
	u32 at;

	if (!slice_to_u32(slice_of(call->second), &step))
		step = 0;
	if (!place_of(call, step, &at, &sequence))
		return;
	order = sequence_order_new(call, deletes ? SEQUENCE_STEP_DELETE : SEQUENCE_STEP_MOVE);
	if (!order)
		return;
	order->id = sequence;
	order->step = step;
	order->place = slice_equal(what, SLICE("up")) ? (at > 0 ? at - 1 : 0) : at + 1;
	sequence_order_give(order, call, page_sequence_answer);
}
