#include "web/mailing_review.h"

#include "base/text.h"
#include "message/preheader.h"
#include "web/image_review.h"
#include "web/setting.h"
#include "web/trouble.h"

/* What stands for pages of ours in texts (campaign/issue.h). */
static const struct slice pages[] = { SLICE("unsubscribe_url"), SLICE("preferences_url"),
				      SLICE("view_url") };

/* Everybody has a page; an attribute may lack. */
static size_t add_columns(const struct issue *issue, struct slice *columns, bool *may_be_empty)
{
	size_t count = 0;

	for (; count < array_count(pages); count++)
		columns[count] = pages[count], may_be_empty[count] = false;
	for (size_t i = 0; i < issue->column_count; i++) {
		if (issue->columns[i].kind != ISSUE_ATTRIBUTE)
			continue;
		columns[count] = slice_of(issue->columns[i].name);
		may_be_empty[count++] = true;
	}
	return count;
}

bool mailing_review_make(struct call *call, struct mailing_preview *preview,
			 struct review *review)
{
	const struct draft *draft = &preview->rows.draft;
	struct audience_txn *txn = call->web->reader;
	struct slice columns[ISSUE_COLUMNS_MAX + array_count(pages)];
	bool may_be_empty[ISSUE_COLUMNS_MAX + array_count(pages)];
	bool is_inline = slice_equal(draft->of[DRAFT_INLINE], SLICE("yes"));
	struct image_review images = { .txn = txn,
				       .config = &call->web->config->web,
				       .is_inline = is_inline };
	struct review_input input = {
		.subject = draft->of[DRAFT_SUBJECT],
		.text = issue_body(draft, DRAFT_TEXT),
		.html = issue_body(draft, DRAFT_HTML),
		.columns = columns,
		.may_be_empty = may_be_empty,
		.makes_text = true,
		.has_unsubscribe_header = preview->rows.issue.unsubscribe_url.len > 0,
		.unsubscribe_fields = pages,
		.unsubscribe_field_count = 1,
		.sender_name = setting_get(txn, SETTING_SENDER_NAME),
		.sender_address = setting_get(txn, SETTING_SENDER_ADDRESS),
		.sender_contact = setting_get(txn, SETTING_SENDER_CONTACT),
		.image = image_review_look,
		.owner = &images,
		.inline_max = is_inline ? MAIL_IMAGES_BYTES_MAX : 0,
	};
	struct buf html;
	bool ok = true;

	input.column_count = add_columns(&preview->rows.issue, columns, may_be_empty);
	buf_init(&html, MESSAGE_TEMPLATE_MAX);
	if (input.html.len > 0 && draft->of[DRAFT_PREHEADER].len > 0) {
		ok = preheader_add(input.html, draft->of[DRAFT_PREHEADER], &html);
		input.html = buf_slice(&html);
	}
	ok = ok && review_message(&input, &preview->arena, review, &preview->error);
	buf_done(&html);
	return ok;
}

json_t *mailing_review_json(const struct review *review, enum language language)
{
	static const char *const parts[] = { "message", "subject", "text", "html" };
	const bool japanese = language == LANGUAGE_JAPANESE;
	json_t *list = json_array();
	struct buf problem;
	struct buf advice;

	buf_init(&problem, 4096);
	buf_init(&advice, 4096);
	for (u32 i = 0; i < review->count; i++) {
		const struct review_finding *finding = &review->findings[i];

		if (finding->severity != REVIEW_MUST)
			continue;
		buf_reset(&problem);
		buf_reset(&advice);
		trouble_add_finding(finding, language, &problem);
		review_add_advice(finding, japanese, &advice);
		json_array_append_new(
			list, json_pack("{s:s, s:i, s:s, s:s}", "part", parts[finding->part],
					"line", (int)finding->line, "problem", buf_text(&problem),
					"advice", buf_text(&advice)));
	}
	buf_done(&problem);
	buf_done(&advice);
	return list;
}
