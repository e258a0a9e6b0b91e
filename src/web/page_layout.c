/* What is around every page: head, navigation, heading, message of the action before, foot. */
#include "base/text.h"
#include "web/asset.h"
#include "web/flash.h"
#include "web/page.h"

#define PRODUCT "hikyaku"

enum word {
	SKIP,
	MENU,
	SIGN_OUT,
	LOOK,
	TO_LIGHT,
	TO_DARK,
	TO_AUTO,
	LANGUAGE,
	BREADCRUMBS,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[SKIP] = { { "Skip to the content", "本文へ移動" } },
	[MENU] = { { "Main menu", "メインメニュー" } },
	[SIGN_OUT] = { { "Sign out", "ログアウト" } },
	[LOOK] = { { "Appearance", "表示" } },
	[TO_LIGHT] = { { "Light", "ライト" } },
	[TO_DARK] = { { "Dark", "ダーク" } },
	[TO_AUTO] = { { "As the device", "端末に合わせる" } },
	[LANGUAGE] = { { "Language", "言語" } },
	[BREADCRUMBS] = { { "You are here", "現在地" } },
};

struct entry {
	enum page_place place;
	const char *path;
	struct words words;
};

static const struct entry entries[] = {
	{ PLACE_DASHBOARD, "/admin", { { "Dashboard", "ダッシュボード" } } },
	{ PLACE_CAMPAIGNS, "/admin/campaigns", { { "Campaigns", "キャンペーン" } } },
	{ PLACE_SEQUENCES, "/admin/sequences", { { "Step mail", "ステップメール" } } },
	{ PLACE_TEMPLATES, "/admin/templates", { { "Templates", "テンプレート" } } },
	{ PLACE_IMAGES, "/admin/images", { { "Images", "画像" } } },
	{ PLACE_CONTACTS, "/admin/contacts", { { "Contacts", "連絡先" } } },
	{ PLACE_LISTS, "/admin/lists", { { "Lists", "リスト" } } },
	{ PLACE_SEGMENTS, "/admin/segments", { { "Segments", "セグメント" } } },
	{ PLACE_IMPORTS, "/admin/imports", { { "Imports", "インポート" } } },
	{ PLACE_FORMS, "/admin/forms", { { "Forms", "登録フォーム" } } },
	{ PLACE_REPORTS, "/admin/reports", { { "Reports", "レポート" } } },
	{ PLACE_DELIVERABILITY, "/admin/deliverability", { { "Deliverability", "到達状況" } } },
	{ PLACE_DNS, "/admin/dns", { { "DNS records", "DNS レコード" } } },
	{ PLACE_SETTINGS, "/admin/settings", { { "Settings", "設定" } } },
	{ PLACE_USERS, "/admin/users", { { "Users", "ユーザー" } } },
	{ PLACE_AUDIT, "/admin/audit", { { "Audit log", "操作履歴" } } },
	{ PLACE_ACCOUNT, "/admin/account", { { "My account", "アカウント" } } },
};

static void write_navigation(struct page *page, enum page_place place)
{
	PAGE_HTML(page, "<nav class=\"menu\"");
	page_attribute(page, "aria-label", slice_of(words[MENU].text[page->language]));
	PAGE_HTML(page, "><ul>");
	for (size_t i = 0; i < array_count(entries); i++) {
		const struct entry *entry = &entries[i];

		if (!web_route_is_open(page->call, entry->path))
			continue;
		PAGE_HTML(page, "<li><a");
		page_attribute(page, "href", slice_of(entry->path));
		if (entry->place == place)
			PAGE_HTML(page, " aria-current=\"page\"");
		PAGE_HTML(page, ">");
		page_words(page, &entry->words);
		PAGE_HTML(page, "</a></li>");
	}
	PAGE_HTML(page, "</ul></nav>");
}

/* Where the browser is, for coming back; the path only, and what is behind "?". */
static struct slice here(const struct page *page)
{
	return scgi_head_find(&page->call->head, SLICE("REQUEST_URI"));
}

static void write_choice(struct page *page, const char *name, struct slice value, bool is_chosen,
			 const struct words *label)
{
	PAGE_HTML(page, "<button class=\"quiet\"");
	page_attribute(page, "name", slice_of(name));
	page_attribute(page, "value", value);
	if (is_chosen)
		PAGE_HTML(page, " aria-pressed=\"true\"");
	PAGE_HTML(page, ">");
	page_words(page, label);
	PAGE_HTML(page, "</button>");
}

static struct slice theme_of(const struct page *page)
{
	struct slice theme = call_cookie(page->call, "theme");

	if (slice_equal(theme, SLICE("light")) || slice_equal(theme, SLICE("dark")))
		return theme;
	return SLICE("auto");
}

static void write_look(struct page *page)
{
	static const struct words english = { { "English", "English" } };
	static const struct words japanese = { { "日本語", "日本語" } };
	struct slice theme = theme_of(page);

	PAGE_HTML(page, "<details class=\"look\"><summary>");
	page_words(page, &words[LOOK]);
	PAGE_HTML(page, "</summary><form method=\"post\" action=\"/admin/look\">");
	page_hidden(page, "next", here(page));
	write_choice(page, "theme", SLICE("auto"), slice_equal(theme, SLICE("auto")),
		     &words[TO_AUTO]);
	write_choice(page, "theme", SLICE("light"), slice_equal(theme, SLICE("light")),
		     &words[TO_LIGHT]);
	write_choice(page, "theme", SLICE("dark"), slice_equal(theme, SLICE("dark")),
		     &words[TO_DARK]);
	PAGE_HTML(page, "<hr><span lang=\"en\">");
	write_choice(page, "language", SLICE("en"), page->language == LANGUAGE_ENGLISH, &english);
	PAGE_HTML(page, "</span><span lang=\"ja\">");
	write_choice(page, "language", SLICE("ja"), page->language == LANGUAGE_JAPANESE, &japanese);
	PAGE_HTML(page, "</span></form></details>");
}

static void write_bar(struct page *page)
{
	const struct web_session *session = &page->call->session;

	PAGE_HTML(page, "<header class=\"bar\"><a class=\"brand\" href=\"/admin\">" PRODUCT "</a>");
	write_look(page);
	if (session->user != 0) {
		PAGE_HTML(page, "<span class=\"who\">");
		page_cstr(page, session->name[0] ? session->name : session->email);
		PAGE_HTML(page, "</span>");
		PAGE_BUTTON(page, TONE_NEUTRAL, &words[SIGN_OUT], "/admin/logout");
	}
	PAGE_HTML(page, "</header>");
}

static void write_crumbs(struct page *page, const struct page_head *head)
{
	if (!head->crumbs[0].path)
		return;
	PAGE_HTML(page, "<nav class=\"crumbs\"");
	page_attribute(page, "aria-label", slice_of(words[BREADCRUMBS].text[page->language]));
	PAGE_HTML(page, "><ol>");
	for (u32 i = 0; i < PAGE_CRUMBS_MAX && head->crumbs[i].path; i++) {
		PAGE_HTML(page, "<li><a");
		page_attribute(page, "href", slice_of(head->crumbs[i].path));
		PAGE_HTML(page, ">");
		page_words(page, head->crumbs[i].words);
		PAGE_HTML(page, "</a></li>");
	}
	PAGE_HTML(page, "</ol></nav>");
}

static void write_title(struct page *page, const struct page_head *head)
{
	if (head->named.len > 0)
		page_text(page, head->named);
	else
		page_words(page, head->title);
}

static void write_head(struct page *page, const struct page_head *head)
{
	PAGE_HTML(page, "<!doctype html>\n<html");
	page_attribute(page, "lang", slice_of(language_code(page->language)));
	page_attribute(page, "data-theme", theme_of(page));
	PAGE_HTML(page, "><head><meta charset=\"utf-8\">"
			"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
			"<meta name=\"color-scheme\" content=\"light dark\">");
	PAGE_HTML(page, "<title>");
	write_title(page, head);
	if (!head->is_public)
		PAGE_HTML(page, " &ndash; " PRODUCT);
	PAGE_HTML(page, "</title><link rel=\"stylesheet\"");
	page_attribute(page, "href", asset_path(ASSET_STYLE));
	PAGE_HTML(page, "><link rel=\"icon\" type=\"image/svg+xml\"");
	page_attribute(page, "href", asset_path(ASSET_ICON));
	PAGE_HTML(page, ">");
	if (head->has_chart) {
		PAGE_HTML(page, "<link rel=\"stylesheet\"");
		page_attribute(page, "href", asset_path(ASSET_CHART_STYLE));
		PAGE_HTML(page, "><script defer");
		page_attribute(page, "src", asset_path(ASSET_CHART));
		PAGE_HTML(page, "></script>");
	}
	PAGE_HTML(page, "<script defer");
	page_attribute(page, "src", asset_path(ASSET_SCRIPT));
	PAGE_HTML(page, "></script></head>");
}

void page_begin(struct page *page, struct call *call, const struct page_head *head)
{
	bool has_menu = !head->is_public && call->session.user != 0 && !call->session.wants_totp;

	*page = (struct page){ .call = call,
			       .out = &call->answer_body,
			       .language = call_language(call),
			       .is_public = head->is_public };
	buf_reset(page->out);
	write_head(page, head);
	if (has_menu)
		PAGE_HTML(page, "<body class=\"has-menu\">");
	else
		PAGE_HTML(page, "<body class=\"alone\">");
	PAGE_HTML(page, "<a class=\"skip\" href=\"#main\">");
	page_words(page, &words[SKIP]);
	PAGE_HTML(page, "</a>");
	if (!head->is_public)
		write_bar(page);
	if (has_menu)
		write_navigation(page, head->place);
	PAGE_HTML(page, "<main id=\"main\" tabindex=\"-1\"");
	if (head->refresh_s > 0)
		page_attribute(page, "data-refresh", DIGITS(head->refresh_s));
	PAGE_HTML(page, ">");
	write_crumbs(page, head);
	PAGE_HTML(page, "<h1>");
	write_title(page, head);
	PAGE_HTML(page, "</h1>");
	if (!head->is_public)
		flash_show(page);
}

void page_end(struct page *page, u32 status)
{
	PAGE_HTML(page, "</main></body></html>\n");
	call_answer_page(page->call, status);
}
