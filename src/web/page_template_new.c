/* A new template: with one of ours, another one, a campaign, or nothing. */
#include "base/text.h"
#include "campaign/draft.h"
#include "store/audience_campaign.h"
#include "web/base_template.h"
#include "web/page_template.h"

#include <string.h>

enum word { NEW, EMPTY_MAIL, EMPTY_BLOCK, EMPTY_PROGRAM, BEGIN, OTHERWISE, WORD_COUNT };

static const struct words words[WORD_COUNT] = {
	[NEW] = { { "New template", "テンプレートを作成" } },
	[EMPTY_MAIL] = { { "An empty mail to contacts", "空の連絡先へのメール" } },
	[EMPTY_BLOCK] = { { "A block for other templates", "ほかで使うブロック" } },
	[EMPTY_PROGRAM] = { { "An empty mail of programs", "空のプログラムからのメール" } },
	[BEGIN] = { { "Begin with this", "これで始める" } },
	[OTHERWISE] = { { "With your own HTML", "お手持ちの HTML から" } },
};

static void show_base(struct page *page, const struct base_template *base)
{
	struct slice name = slice_of(base->name);

	PAGE_HTML(page, "<section class=\"card\"><h2>");
	page_words(page, &base->title);
	PAGE_HTML(page, "</h2>");
	page_paragraph(page, &base->about);
	PAGE_HTML(page, "<iframe sandbox loading=\"lazy\" tabindex=\"-1\" class=\"base-frame\"");
	page_attribute(page, "title", slice_of(base->title.text[page->language]));
	PAGE_URL(page, "src", "/admin/templates/bases/{}/frame?language={}", name,
		 slice_of(language_code(page->language)));
	PAGE_HTML(page, "></iframe><p class=\"actions\">");
	for (u32 i = 0; i < LANGUAGES; i++) {
		enum language language = i == 0 ? page->language
						: (enum language)(LANGUAGES - 1 - page->language);

		PAGE_HTML(page, "<a class=\"button\"");
		PAGE_URL(page, "href", "/admin/templates/new?base={}&language={}", name,
			 slice_of(language_code(language)));
		PAGE_HTML(page, "><span class=\"unseen\">");
		page_words(page, &base->title);
		PAGE_HTML(page, ": </span>");
		page_words(page, &page_language_words[language]);
		PAGE_HTML(page, "</a>");
	}
	PAGE_HTML(page, "</p></section>");
}

static void show_beginnings(struct call *call)
{
	const struct page_head head = { .place = PLACE_TEMPLATES,
					.title = &words[NEW],
					.crumbs = { { "/admin/templates",
						      &page_templates_title } } };
	struct page page;

	page_begin(&page, call, &head);
	page_heading(&page, &words[BEGIN]);
	PAGE_HTML(&page, "<div class=\"columns\">");
	for (size_t i = 0; i < BASE_TEMPLATES; i++)
		show_base(&page, &base_templates[i]);
	PAGE_HTML(&page, "</div>");
	page_heading(&page, &words[OTHERWISE]);
	PAGE_HTML(&page, "<div class=\"actions\">");
	PAGE_ACTION(&page, &words[EMPTY_MAIL], "/admin/templates/new?kind=mail");
	PAGE_ACTION(&page, &words[EMPTY_BLOCK], "/admin/templates/new?kind=block");
	PAGE_ACTION(&page, &words[EMPTY_PROGRAM], "/admin/templates/new?kind=transactional");
	PAGE_HTML(&page, "</div>");
	page_end(&page, 200);
}

static void begin_with_base(struct template_editor *editor, const struct base_template *base)
{
	enum language language = (enum language)editor->language;

	editor->kind = base->kind;
	editor->of[AUDIENCE_TEMPLATE_SUBJECT] = slice_of(base->subject.text[language]);
	editor->of[AUDIENCE_TEMPLATE_PREHEADER] = slice_of(base->preheader.text[language]);
	editor->of[AUDIENCE_TEMPLATE_HTML] = base_template_html(base, language);
	editor->of[AUDIENCE_TEMPLATE_SAMPLE] = slice_of(base->sample.text[language]);
}

static bool begin_with_copy(struct call *call, struct template_editor *editor, u32 id)
{
	struct audience_template_version version;
	struct audience_template one;

	if (audience_template_get(call->web->reader, id, &one) != STORE_OK ||
	    audience_template_version(call->web->reader, id, one.version, &version) != STORE_OK)
		return false;
	editor->kind = one.kind;
	editor->language = one.language;
	memcpy(editor->of, version.of, sizeof(editor->of));
	return true;
}

/* A campaign whose texts are to be kept. */
static bool begin_with_campaign(struct call *call, struct template_editor *editor, u32 id)
{
	struct audience_campaign campaign;
	struct draft draft;

	if (audience_campaign_get(call->web->reader, id, &campaign) != STORE_OK ||
	    !draft_unpack(campaign.draft, &draft))
		return false;
	editor->name = draft.of[DRAFT_NAME];
	editor->of[AUDIENCE_TEMPLATE_SUBJECT] = draft.of[DRAFT_SUBJECT];
	editor->of[AUDIENCE_TEMPLATE_PREHEADER] = draft.of[DRAFT_PREHEADER];
	editor->of[AUDIENCE_TEMPLATE_HTML] = draft.of[DRAFT_HTML];
	editor->of[AUDIENCE_TEMPLATE_TEXT] = draft.of[DRAFT_TEXT];
	return true;
}

void page_template_new(struct call *call)
{
	struct template_editor editor = template_editor_empty(call);
	const struct base_template *base = base_template_find(call_query(call, "base"));
	struct slice copy = call_query(call, "copy");
	struct slice campaign = call_query(call, "campaign");
	enum language language;
	u32 id;

	if (!base && copy.len + campaign.len == 0 &&
	    !template_kind_find(call_query(call, "kind"), &editor.kind)) {
		show_beginnings(call);
		return;
	}
	if (language_of_code(call_query(call, "language"), &language))
		editor.language = (u8)language;
	if (base)
		begin_with_base(&editor, base);
	if (audience_begin_read(call->web->reader) != STORE_OK)
		call_refuse(call, 503, NULL, "templates cannot be read");
	else if ((copy.len > 0 &&
		  (!slice_to_u32(copy, &id) || !begin_with_copy(call, &editor, id))) ||
		 (campaign.len > 0 &&
		  (!slice_to_u32(campaign, &id) || !begin_with_campaign(call, &editor, id))))
		call_problem_page(call, 404, NULL);
	else
		template_editor_show(call, &editor, 200);
	audience_abort(call->web->reader);
}

/* One of ours, to choose from. */
void page_template_base(struct call *call)
{
	const struct base_template *base = base_template_find(slice_of(call->argument));
	enum language language = call_language(call);
	struct template_look look = { .name = SLICE("") };
	struct template_editor editor = template_editor_empty(call);

	if (!base) {
		call_problem_page(call, 404, NULL);
		return;
	}
	if (language_of_code(call_query(call, "language"), &language))
		editor.language = (u8)language;
	begin_with_base(&editor, base);
	look.kind = editor.kind;
	memcpy(look.of, editor.of, sizeof(look.of));
	if (audience_begin_read(call->web->reader) == STORE_OK)
		template_editor_look(call, &look);
	else
		call_refuse(call, 503, NULL, "templates cannot be read");
	audience_abort(call->web->reader);
}
