#include "web/page_look.h"

#include "base/text.h"
#include "web/contact_search.h"
#include "web/trouble.h"

enum word {
	WIDE, NARROW, NOTHING, MUST, SHOULD, MAY, LINE, LOOK_AS, LOOK_AS_HINT, LOOK, NO_CONTACT,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[WIDE] = { { "On a desk", "パソコン" } },
	[NARROW] = { { "On a phone", "スマートフォン" } },
	[NOTHING] = { { "Nothing was found that is to be mended.", "問題は見つかりませんでした。" } },
	[MUST] = { { "Mend", "要修正" } },
	[SHOULD] = { { "Advice", "推奨" } },
	[MAY] = { { "Hint", "参考" } },
	[LOOK_AS] = { { "Look at it as", "この連絡先で表示" } },
	[LOOK_AS_HINT] = { { "An e-mail address, or a contact's number. Empty: the first one that "
			     "it goes to.",
			     "メールアドレスまたは連絡先の番号。空欄なら最初の宛先です。" } },
	[LOOK] = { { "Show", "表示" } },
	[NO_CONTACT] = { { "There is no such contact.", "該当する連絡先がありません。" } },
	[LINE] = { { "({1}, line {2})", "（{1} {2}行目）" } },
};

void page_look_finding(struct page *page, const struct review_finding *finding)
{
	static const char *const parts[] = { "", "", "text", "HTML" };
	const bool japanese = page->language == LANGUAGE_JAPANESE;
	struct buf problem;
	struct buf advice;

	buf_init(&problem, 4096);
	buf_init(&advice, 4096);
	trouble_add_finding(finding, page->language, &problem);
	review_add_advice(finding, japanese, &advice);
	PAGE_HTML(page, "<li><strong>");
	page_words(page, &words[MUST + (u32)finding->severity]);
	PAGE_HTML(page, "</strong> ");
	page_text(page, buf_slice(&problem));
	if (finding->line > 0 && parts[finding->part][0]) {
		PAGE_HTML(page, " ");
		PAGE_SENTENCE(page, &words[LINE], slice_of(parts[finding->part]),
			      DIGITS(finding->line));
	}
	PAGE_HTML(page, "<p class=\"hint\">");
	page_text(page, buf_slice(&advice));
	PAGE_HTML(page, "</p></li>");
	buf_done(&problem);
	buf_done(&advice);
}

void page_look_findings(struct page *page, const struct review *review)
{
	if (review->count == 0) {
		page_paragraph(page, &words[NOTHING]);
		return;
	}
	PAGE_HTML(page, "<ul>");
	for (u32 i = 0; i < review->count; i++)
		page_look_finding(page, &review->findings[i]);
	PAGE_HTML(page, "</ul>");
}

static void show_frame(struct page *page, const char *class, const struct words *title,
		       const char *format, const struct slice *values)
{
	PAGE_HTML(page, "<figure");
	page_attribute(page, "class", slice_of(class));
	PAGE_HTML(page, "><figcaption>");
	page_words(page, title);
	PAGE_HTML(page, "</figcaption><iframe sandbox loading=\"lazy\"");
	page_attribute(page, "title", slice_of(title->text[page->language]));
	page_url(page, "src", format, values);
	PAGE_HTML(page, "></iframe></figure>");
}

void page_look_frames(struct page *page, const char *format, const struct slice *values)
{
	PAGE_HTML(page, "<div class=\"previews\">");
	show_frame(page, "wide", &words[WIDE], format, values);
	show_frame(page, "narrow", &words[NARROW], format, values);
	PAGE_HTML(page, "</div>");
}

bool page_look_contact(struct call *call, struct contact *contact, const struct contact **chosen)
{
	struct slice who = slice_trim(call_query(call, "contact"));

	*chosen = NULL;
	if (who.len == 0)
		return true;
	if (!contact_named(call->web->reader, who, contact))
		return false;
	contact->id = 0;
	*chosen = contact;
	return true;
}

void page_look_choice(struct page *page, bool is_there, const char *format,
		      const struct slice *values)
{
	PAGE_HTML(page, "<form class=\"search\" role=\"search\"");
	page_url(page, "action", format, values);
	PAGE_HTML(page, ">");
	page_field(page, &(struct page_field){ .name = "contact",
					       .label = &words[LOOK_AS],
					       .hint = &words[LOOK_AS_HINT],
					       .value = call_query(page->call, "contact"),
					       .error = is_there ? NULL : &words[NO_CONTACT],
					       .autocomplete = "off" });
	page_submit(page, TONE_NEUTRAL, &words[LOOK]);
	page_form_end(page);
}
