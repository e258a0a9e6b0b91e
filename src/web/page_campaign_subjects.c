/* Two subjects of a campaign: what became of each, which one went to the rest, and by what. */
#include "base/text.h"
#include "campaign/draft.h"
#include "web/page_campaign.h"

enum word { TITLE, OPEN, NO_REST, ENDED, WON_OPENED, WON_CLICKED, SAME, WORD_COUNT };

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "By subject", "件名別" } },
	[OPEN] = { { "Not decided yet.", "判定はまだ行われていません。" } },
	[NO_REST] = { { "Everybody was asked with one of them: nothing is to be decided.",
			"全員にどちらかの件名で配信するため、判定はありません。" } },
	[ENDED] = { { "It ended before anything was decided.",
		      "判定の前にキャンペーンが終了しました。" } },
	[WON_OPENED] = { { "“{1}” goes to the rest: {2} of the {3} who were asked with it had "
			   "opened it, and {4} of {5} the other one.",
			   "「{1}」を残りの受信者に配信します。判定時の開封は {3} 人中 {2} 人、"
			   "もう一方は {5} 人中 {4} 人でした。" } },
	[WON_CLICKED] = { { "“{1}” goes to the rest: {2} of the {3} who were asked with it had "
			    "clicked, and {4} of {5} with the other one.",
			    "「{1}」を残りの受信者に配信します。判定時のクリックは {3} 人中 {2} 人、"
			    "もう一方は {5} 人中 {4} 人でした。" } },
	[SAME] = { { "Nothing told them apart, so it is the first.",
		     "差がなかったため、1つ目の件名を使います。" } },
};

static u64 of_variant(const struct page *page, u32 campaign, enum campaign_counted what,
		      u32 variant)
{
	u64 count;

	return campaign_count_get(page->call->web->reader, campaign, what, variant, &count) ==
			       STORE_OK
		       ? count
		       : 0;
}

static bool is_decided(const struct audience_campaign *c)
{
	return c->flags & (AUDIENCE_CAMPAIGN_WINNER_A | AUDIENCE_CAMPAIGN_WINNER_B);
}

static void show_why_not(struct page *page, const struct audience_campaign *c,
			 const struct draft *draft)
{
	enum word word = OPEN;

	if (slice_equal(draft->of[DRAFT_AB_SHARE], SLICE("100")))
		word = NO_REST;
	else if (c->finished_ms > 0)
		word = ENDED;
	PAGE_HTML(page, "<p>");
	page_words(page, &words[word]);
	PAGE_HTML(page, "</p>");
}

static void show_decision(struct page *page, const struct audience_campaign *c,
			  const struct draft *draft)
{
	bool is_b = c->flags & AUDIENCE_CAMPAIGN_WINNER_B;
	u32 won = is_b ? DRAFT_VARIANT_B : DRAFT_VARIANT_A;
	u32 lost = is_b ? DRAFT_VARIANT_A : DRAFT_VARIANT_B;
	u64 asked = of_variant(page, c->id, CAMPAIGN_AB_ASKED, won);
	u64 moved = of_variant(page, c->id, CAMPAIGN_AB_MOVED, won);
	u64 asked_other = of_variant(page, c->id, CAMPAIGN_AB_ASKED, lost);
	u64 moved_other = of_variant(page, c->id, CAMPAIGN_AB_MOVED, lost);
	bool by_clicks = slice_equal(draft->of[DRAFT_AB_BY], SLICE("clicks"));

	PAGE_HTML(page, "<p>");
	PAGE_SENTENCE(page, &words[by_clicks ? WON_CLICKED : WON_OPENED],
		      draft->of[is_b ? DRAFT_SUBJECT_B : DRAFT_SUBJECT], DIGITS(moved),
		      DIGITS(asked), DIGITS(moved_other), DIGITS(asked_other));
	if (moved * asked_other == moved_other * asked) {
		PAGE_HTML(page, " ");
		page_words(page, &words[SAME]);
	}
	PAGE_HTML(page, "</p>");
}

void page_campaign_subjects(struct page *page, const struct audience_campaign *c,
			    const struct draft *draft)
{
	static const struct page_column columns[] = {
		{ { { "Subject", "件名" } }, false },	 { { { "Recipients", "宛先" } }, true },
		{ { { "Delivered", "到達" } }, true },	 { { { "Bounced", "不達" } }, true },
		{ { { "Opened", "開封" } }, true },	 { { { "Share", "開封率" } }, true },
		{ { { "Clicked", "クリック" } }, true }, { { { "Share", "クリック率" } }, true },
		{ { { NULL, NULL } }, false },
	};

	if (draft->of[DRAFT_SUBJECT_B].len == 0)
		return;
	page_card_begin(page, &words[TITLE]);
	page_table_begin(page, &words[TITLE], columns);
	for (u32 i = DRAFT_VARIANT_A; i <= DRAFT_VARIANT_B; i++) {
		u64 delivered = of_variant(page, c->id, CAMPAIGN_VARIANT_DELIVERED, i);
		u64 opened = of_variant(page, c->id, CAMPAIGN_VARIANT_OPENED, i);
		u64 clicked = of_variant(page, c->id, CAMPAIGN_VARIANT_CLICKED, i);

		page_row_begin(page);
		page_cell_text(page, draft->of[i == DRAFT_VARIANT_A ? DRAFT_SUBJECT
								    : DRAFT_SUBJECT_B]);
		page_cell_number(page, of_variant(page, c->id, CAMPAIGN_VARIANT_SENT, i));
		page_cell_number(page, delivered);
		page_cell_number(page, of_variant(page, c->id, CAMPAIGN_VARIANT_BOUNCED, i));
		page_cell_number(page, opened);
		page_cell(page);
		page_percent(page, opened, delivered);
		page_cell_number(page, clicked);
		page_cell(page);
		page_percent(page, clicked, delivered);
		page_row_end(page);
	}
	page_table_end(page);
	if (is_decided(c))
		show_decision(page, c, draft);
	else
		show_why_not(page, c, draft);
	page_card_end(page);
}
