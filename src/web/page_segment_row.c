/* Rows of a segment's form, and what rows can be added. */
#include "base/text.h"
#include "campaign/segment_words.h"
#include "store/audience_attribute.h"
#include "store/audience_list.h"
#include "web/page_segment.h"

#include <stdio.h>

static const struct words subject_words[SEGMENT_SUBJECTS] = {
	[SEGMENT_STATE] = { { "State", "状態" } },
	[SEGMENT_EMAIL] = { { "E-mail address", "メールアドレス" } },
	[SEGMENT_DOMAIN] = { { "Domain of the address", "メールアドレスのドメイン" } },
	[SEGMENT_CREATED] = { { "Added", "登録日時" } },
	[SEGMENT_CHANGED] = { { "Changed", "更新日時" } },
	[SEGMENT_ATTRIBUTE] = { { "Attribute: {1}", "属性: {1}" } },
	[SEGMENT_MEMBER] = { { "On the list {1}", "リスト {1} に登録中" } },
	[SEGMENT_LEFT] = { { "Left the list {1}", "リスト {1} を退会" } },
	[SEGMENT_PENDING] = { { "Asked to confirm for {1}", "リスト {1} の確認待ち" } },
	[SEGMENT_CONSENT] = { { "Consent", "同意" } },
	[SEGMENT_SENT] = { { "Was sent mail", "配信対象になった" } },
	[SEGMENT_OPENED] = { { "Opened", "開封した" } },
	[SEGMENT_CLICKED] = { { "Clicked", "クリックした" } },
};

static const struct words operator_words[SEGMENT_OPERATORS] = {
	[SEGMENT_EVER] = { { "at any time", "時期を問わず" } },
	[SEGMENT_IS] = { { "is", "次と等しい" } },
	[SEGMENT_IS_NOT] = { { "is not", "次と異なる" } },
	[SEGMENT_LESS] = { { "is less than", "次より小さい" } },
	[SEGMENT_AT_MOST] = { { "is at most", "次以下" } },
	[SEGMENT_AT_LEAST] = { { "is at least", "次以上" } },
	[SEGMENT_MORE] = { { "is more than", "次より大きい" } },
	[SEGMENT_CONTAINS] = { { "contains", "次を含む" } },
	[SEGMENT_BEGINS] = { { "begins with", "次で始まる" } },
	[SEGMENT_ENDS] = { { "ends with", "次で終わる" } },
	[SEGMENT_IN] = { { "is one of", "次のいずれか" } },
	[SEGMENT_EMPTY] = { { "is empty", "未入力" } },
	[SEGMENT_WITHIN] = { { "in the last … days", "過去○日以内" } },
	[SEGMENT_WITHIN_NEXT] = { { "in the next … days", "今後○日以内" } },
	[SEGMENT_OLDER] = { { "more than … days ago", "○日より前" } },
	[SEGMENT_ANNIVERSARY] = { { "anniversary within … days", "記念日が○日以内" } },
	[SEGMENT_THIS_MONTH] = { { "anniversary this month", "記念日が今月" } },
};
static const struct words day_words[] = {
	[SEGMENT_IS] = { { "on the day", "次の日" } },
	[SEGMENT_IS_NOT] = { { "not on the day", "次の日以外" } },
	[SEGMENT_LESS] = { { "before", "次の日より前" } },
	[SEGMENT_AT_MOST] = { { "until", "次の日まで" } },
	[SEGMENT_AT_LEAST] = { { "since", "次の日以降" } },
	[SEGMENT_MORE] = { { "after", "次の日より後" } },
};
static const struct words operator_label = { { "Comparison", "比較" } };
static const struct words value_label = { { "Value", "値" } };
static const struct words values_hint = { { "Several with commas between them.",
					    "複数の値はカンマで区切ります。" } };
static const struct words campaign_label = { { "Campaign's number (empty: any)",
					       "キャンペーン番号（空欄: すべて）" } };
static const struct words link_label = { { "Link's number (empty: any)",
					   "リンク番号（空欄: すべて）" } };
static const struct words not_label = { { "Not: turn this condition round", "この条件を否定する" } };
static const struct words remove_words = { { "Remove", "削除" } };
static const struct words yes_words = { { "Yes", "はい" } };
static const struct words no_words = { { "No", "いいえ" } };

static void write_subject(struct page *page, const struct segment_row *row)
{
	char id[16];
	struct slice name = row->name;

	if (name.len == 0) {
		snprintf(id, sizeof(id), "#%u", row->id);
		name = slice_of(id);
	}
	PAGE_SENTENCE(page, &subject_words[row->subject], name);
}

static bool is_of_days(const struct segment_row *row)
{
	return segment_is_moment(row->subject) ||
	       (row->subject == SEGMENT_ATTRIBUTE && row->type == SEGMENT_DATE);
}

/* The name of a row's field; valid until the page's next one. */
static const char *field_name(char out[32], const char *name, u32 index)
{
	snprintf(out, 32, "%s.%u", name, index);
	return out;
}

static void write_operator(struct page *page, const struct segment_row *row, u32 index)
{
	char name[32];

	page_select_begin(page, &(struct page_field){ .name = field_name(name, "op", index),
						      .label = &operator_label });
	for (u32 i = 0; i < SEGMENT_OPERATORS; i++) {
		enum segment_operator op = (enum segment_operator)i;
		const struct words *label = is_of_days(row) && op >= SEGMENT_IS &&
							    op <= SEGMENT_MORE ?
						    &day_words[op] :
						    &operator_words[op];

		if (segment_takes(row->subject, row->type, op))
			page_option(page, slice_of(segment_operator_word(op)), label,
				    op == row->op);
	}
	page_select_end(page);
}

static void write_states(struct page *page, const struct page_field *field)
{
	page_select_begin(page, field);
	for (u32 state = CONTACT_PENDING; state <= CONTACT_COMPLAINED; state++) {
		struct slice word = slice_of(segment_state_word((enum contact_state)state));

		page_option(page, word, &page_state_words[state], slice_equal(word, field->value));
	}
	page_select_end(page);
}

static void write_value(struct page *page, const struct segment_row *row, u32 index,
			struct slice error)
{
	char name[32];
	struct page_field field = { .name = field_name(name, "value", index),
				    .label = &value_label,
				    .value = row->value,
				    .error_text = error,
				    .autocomplete = "off" };

	if (row->subject == SEGMENT_STATE && row->op != SEGMENT_IN) {
		write_states(page, &field);
	} else if (row->type == SEGMENT_YES_NO && row->subject == SEGMENT_ATTRIBUTE) {
		page_select_begin(page, &field);
		page_option(page, SLICE("yes"), &yes_words, slice_equal(row->value, SLICE("yes")));
		page_option(page, SLICE("no"), &no_words, slice_equal(row->value, SLICE("no")));
		page_select_end(page);
	} else {
		if (segment_takes(row->subject, row->type, SEGMENT_IN))
			field.hint = &values_hint;
		page_field(page, &field);
	}
}

static void write_campaign(struct page *page, const struct segment_row *row, u32 index)
{
	char name[32];

	page_field(page, &(struct page_field){ .name = field_name(name, "campaign", index),
					       .label = &campaign_label,
					       .value = row->campaign,
					       .autocomplete = "off" });
	if (row->subject == SEGMENT_CLICKED)
		page_field(page, &(struct page_field){ .name = field_name(name, "link", index),
						       .label = &link_label,
						       .value = row->link,
						       .autocomplete = "off" });
}

void page_segment_row(struct page *page, const struct segment_row *row, u32 index,
		      struct slice error)
{
	char what[32];
	char name[32];

	PAGE_HTML(page, "<fieldset class=\"wide\"><legend>");
	write_subject(page, row);
	PAGE_HTML(page, "</legend><div class=\"row\">");
	segment_row_what(row, what);
	page_hidden(page, field_name(name, "what", index), slice_of(what));
	if (segment_is_behaviour(row->subject))
		write_campaign(page, row, index);
	write_operator(page, row, index);
	write_value(page, row, index, error);
	PAGE_HTML(page, "</div><div class=\"split\">");
	page_check(page, field_name(name, "not", index), &not_label, row->is_not);
	page_submit_as(page, TONE_NEUTRAL, &remove_words, "do",
		       slice_of(field_name(name, "remove", index)));
	PAGE_HTML(page, "</div></fieldset>");
}

/* ---- what can be added ---- */

static void write_choice(struct page *page, enum segment_subject subject, u32 id,
			 struct slice name)
{
	const struct segment_row row = { .subject = subject, .id = id, .name = name };
	char what[32];

	segment_row_what(&row, what);
	PAGE_HTML(page, "<option");
	page_attribute(page, "value", slice_of(what));
	PAGE_HTML(page, ">");
	write_subject(page, &row);
	PAGE_HTML(page, "</option>");
}

static const struct words add_label = { { "About", "対象" } };
static const struct words add_words = { { "Add a condition", "条件を追加" } };

void page_segment_choices(struct page *page, struct audience_txn *txn)
{
	struct attribute attribute = { 0 };
	struct audience_list list = { 0 };

	PAGE_HTML(page, "<div class=\"row\">");
	page_select_begin(page, &(struct page_field){ .name = "add", .label = &add_label });
	while (attribute_after(txn, attribute.id, &attribute) == STORE_OK)
		write_choice(page, SEGMENT_ATTRIBUTE, attribute.id, attribute.name);
	while (audience_list_after(txn, list.id, &list) == STORE_OK) {
		write_choice(page, SEGMENT_MEMBER, list.id, list.name);
		write_choice(page, SEGMENT_LEFT, list.id, list.name);
		write_choice(page, SEGMENT_PENDING, list.id, list.name);
	}
	for (u32 i = 0; i < SEGMENT_SUBJECTS; i++) {
		enum segment_subject subject = (enum segment_subject)i;

		if (subject != SEGMENT_ATTRIBUTE && !segment_is_of_list(subject))
			write_choice(page, subject, 0, SLICE(""));
	}
	page_select_end(page);
	PAGE_HTML(page, "<div class=\"actions\">");
	page_submit_as(page, TONE_NEUTRAL, &add_words, "do", SLICE("add"));
	PAGE_HTML(page, "</div></div>");
}
