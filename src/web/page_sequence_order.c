/* What is done to a sequence and its steps by a button, and what is said of it. */
#include "base/text.h"
#include "web/bringer.h"
#include "web/mailing_start.h"
#include "web/page_campaign.h"
#include "web/page_identity.h"
#include "web/page_sequence.h"
#include "web/sequence_start.h"

#include <string.h>

enum word {
	DONE,
	WRONG_STATE,
	NOT_THERE,
	NO_STEP,
	NO_CONTACT,
	TOO_MANY,
	CANNOT,
	ALL_THE_SAME,
	ALL_THE_SAME_WHY,
	STOPPED,
	FINDINGS,
	STEPS,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[DONE] = { { "Done.", "完了しました。" } },
	[WRONG_STATE] = { { "That cannot be done in its state.",
			    "現在の状態では実行できません。" } },
	[NOT_THERE] = { { "There is no such sequence.", "ステップメールが見つかりません。" } },
	[NO_STEP] = { { "There is no such step.", "ステップが見つかりません。" } },
	[NO_CONTACT] = { { "There is no such contact.", "連絡先が見つかりません。" } },
	[TOO_MANY] = { { "There are as many as there may be.", "これ以上は追加できません。" } },
	[CANNOT] = { { "It cannot be done as it is.", "このままでは実行できません。" } },
	[ALL_THE_SAME] = { { "Start all the same", "それでも開始する" } },
	[ALL_THE_SAME_WHY] = { { "Your name and these reasons go to the audit log.",
				 "実行した人と理由は監査ログに記録されます。" } },
	[STOPPED] = { { "It does not run yet. Mend what is named here, then start it once more.",
			"まだ開始されていません。次の点を直してから、もう一度開始してください。" } },
	[FINDINGS] = { { "To be mended in the mail", "メールの要修正箇所" } },
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
	case SEQUENCE_IS_STOPPED:
		return true;
	case SEQUENCE_IS_CHANGED:
		CALL_REDIRECT(call, TONE_BAD, page_campaign_changed(), "/admin/sequences/{}", id);
		return false;
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

/* Under the sequence's name, when it is still there. */
static void begin(struct page *page, struct call *call, const struct sequence_order *order)
{
	struct page_head head = { .place = PLACE_SEQUENCES,
				  .title = &page_sequence_title,
				  .crumbs = { { "/admin/sequences", &page_sequence_title } } };
	struct audience_sequence sequence;

	if (audience_sequence_get(call->web->reader, order->id, &sequence) == STORE_OK)
		head.named = sequence.of[SEQUENCE_NAME];
	page_begin(page, call, &head);
}

static void show_step(struct page *page, const struct sequence_order *order, u32 step)
{
	PAGE_HTML(page, "<a");
	PAGE_URL(page, "href", "/admin/sequences/{}/steps/{}", DIGITS(order->id), DIGITS(step));
	PAGE_HTML(page, ">");
	page_step_subject(page, step);
	PAGE_HTML(page, "</a>");
}

/* It cannot run as it is: a step is not whole. */
static void show_wrong(struct call *call, const struct sequence_order *order)
{
	struct page page;

	begin(&page, call, order);
	page_message(&page, TONE_BAD, &words[CANNOT]);
	PAGE_HTML(&page, "<p>");
	page_trouble(&page, slice_of(order->error.text));
	PAGE_HTML(&page, "</p><p>");
	if (order->wrong_step > 0)
		show_step(&page, order, order->wrong_step);
	else
		PAGE_LINK(&page, &words[STEPS], "/admin/sequences/{}", DIGITS(order->id));
	PAGE_HTML(&page, "</p>");
	page_end(&page, 422);
}

/* ---- a start that something speaks against ---- */

static struct slice text_of(const json_t *finding, const char *name)
{
	const char *text = json_string_value(json_object_get(finding, name));

	return slice_of(text ? text : "");
}

static void show_findings(struct page *page, const struct sequence_order *order)
{
	page_card_begin(page, &words[FINDINGS]);
	PAGE_HTML(page, "<ul>");
	for (size_t i = 0; i < json_array_size(order->findings); i++) {
		const json_t *finding = json_array_get(order->findings, i);

		PAGE_HTML(page, "<li>");
		show_step(page, order, (u32)json_integer_value(json_object_get(finding, "step")));
		PAGE_HTML(page, " ");
		page_text(page, text_of(finding, "problem"));
		PAGE_HTML(page, "<p class=\"hint\">");
		page_text(page, text_of(finding, "advice"));
		PAGE_HTML(page, "</p></li>");
	}
	PAGE_HTML(page, "</ul>");
	page_card_end(page);
}

static void show_stopped(struct call *call, const struct sequence_order *order)
{
	char overrides[SEQUENCE_START_WORDS];
	struct page page;

	sequence_start_write(order->overrides | order->stops, overrides);
	begin(&page, call, order);
	page_message(&page, TONE_WARNING, &words[STOPPED]);
	if (order->stops & MAILING_STOP_FINDINGS)
		show_findings(&page, order);
	if (order->stops & MAILING_STOP_IDENTITY)
		page_identity_stops(&page, order->identity, slice_of(order->customer));
	page_paragraph(&page, &words[ALL_THE_SAME_WHY]);
	PAGE_FORM(&page, "/admin/sequences/{}/start", DIGITS(order->id));
	page_hidden(&page, "override", slice_of(overrides));
	page_hidden(&page, "seen", DIGITS(order->looked_version));
	page_submit(&page, TONE_BAD, &words[ALL_THE_SAME]);
	page_form_end(&page);
	page_end(&page, 422);
}

void page_sequence_answer(struct call *call, struct call_order *base)
{
	const struct sequence_order *order = container_of(base, struct sequence_order, base);

	if (!call_order_is_well(call, base) || !page_sequence_is_well(call, order))
		return;
	if (order->outcome == SEQUENCE_IS_WRONG || order->outcome == SEQUENCE_IS_STOPPED) {
		if (audience_begin_read(call->web->reader) == STORE_OK)
			(order->outcome == SEQUENCE_IS_WRONG ? show_wrong : show_stopped)(call,
											  order);
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
			if (!slice_to_u32(form_text(call->form, "seen"), &order->seen_version))
				order->seen_version = 0;
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
