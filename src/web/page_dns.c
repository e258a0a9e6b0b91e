/*
 * What each domain has to publish in DNS so that its mail is taken: by what the sender says of its
 * keys and addresses, in the form of a provider's form; and what DNS said when it was last asked.
 */
#include "base/net_address.h"
#include "base/text.h"
#include "web/identity.h"
#include "web/page_identity.h"
#include "web/page_sender.h"

#include <stdio.h>
#include <string.h>

#define CUSTOMERS_MAX 500
#define REFRESH_S 2

enum word {
	TITLE,
	INTRODUCTION,
	AWAY,
	RECORDS,
	CHECKED,
	NOT_CHECKED,
	CHECKING,
	CHECK_NOW,
	FINDINGS,
	ALIGNED,
	NOT_ALIGNED,
	PASS,
	INFO,
	WARN,
	FAIL,
	UNKNOWN,
	ANY_ADDRESS,
	PTR,
	WHY_DKIM,
	WHY_SPF,
	WHY_DMARC,
	WHY_ADDRESS,
	WHY_EHLO,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "DNS records", "DNS レコード" } },
	[INTRODUCTION] = { { "Receivers believe that mail is yours when these records stand in the"
			     " zone of your domain. Copy them into the form of whoever keeps it.",
			     "これらのレコードをドメインのDNSに登録すると、受信側がメールの差出人を"
			     "確認できるようになります。DNS事業者の設定画面にコピーしてください。" } },
	[AWAY] = { { "The sender does not answer at the moment: its keys and addresses are not"
		     " known.",
		     "送信プログラムが応答していないため、鍵とアドレスを表示できません。" } },
	[RECORDS] = { { "Records of {1}", "{1} のレコード" } },
	[CHECKED] = { { "Checked at ", "確認日時：" } },
	[NOT_CHECKED] = { { "DNS has not been asked yet.", "DNS はまだ確認されていません。" } },
	[CHECKING] = { { "DNS is being asked; this takes some seconds.",
			 "DNS を確認しています。数秒かかります。" } },
	[CHECK_NOW] = { { "Check now", "今すぐ確認" } },
	[FINDINGS] = { { "What DNS says of {1}", "{1} の確認結果" } },
	[ALIGNED] = { { "Receivers can tell that mail of {1} is yours.",
			"受信側は {1} からのメールを正規のものと確認できます。" } },
	[NOT_ALIGNED] = { { "Neither SPF nor DKIM vouches for mail of {1}: receivers refuse it, and"
			    " no campaign begins.",
			    "{1} からのメールはSPF・DKIMのどちらでも認証されません。受信側に拒否されるため、"
			    "キャンペーンは開始できません。" } },
	[PASS] = { { "passes", "合格" } },
	[INFO] = { { "no fault", "問題なし" } },
	[WARN] = { { "doubtful", "注意" } },
	[FAIL] = { { "fails", "不合格" } },
	[UNKNOWN] = { { "not checked", "未確認" } },
	[ANY_ADDRESS] = { { "Mail leaves from an address of this machine that the system chooses:"
			    " {1} must have it (A, AAAA), and its provider must name it so (PTR).",
			    "送信元アドレスはシステムが選びます。{1} のA・AAAAレコードにそのアドレスを登録し、"
			    "逆引き（PTR）も同じ名前に設定してください。" } },
	[PTR] = { { "Ask the provider of the address {1} to name it {2} (PTR).",
		    "アドレス {1} の逆引き（PTR）を {2} に設定するよう、"
		    "回線事業者に依頼してください。" } },
	[WHY_DKIM] = { { "signature (DKIM)", "署名（DKIM）" } },
	[WHY_SPF] = { { "who may send (SPF)", "送信許可（SPF）" } },
	[WHY_DMARC] = { { "what to do with forgeries (DMARC)", "なりすまし対策（DMARC）" } },
	[WHY_ADDRESS] = { { "this machine", "このサーバー" } },
	[WHY_EHLO] = { { "this machine's own SPF", "このサーバーのSPF" } },
};

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* ---- what was found ---- */

/* What a check is about, for whom its name is a riddle; by how it begins. */
static const struct {
	const char *check;
	struct words words;
} meanings[] = {
	{ "PTR ", { { "the address leads back to a name", "逆引き" } } },
	{ "EHLO ", { { "the machine's name leads to its address", "サーバー名の正引き" } } },
	{ "SPF EHLO", { { "the machine's own name may send", "サーバー名のSPF" } } },
	{ "SPF ", { { "this address may send for the domain", "送信元アドレスの許可" } } },
	{ "DKIM", { { "the key that signs is published", "署名の公開鍵" } } },
	{ "DMARC", { { "what becomes of forgeries is said", "なりすましメールの扱い" } } },
	{ "alignment", { { "SPF or DKIM is of the sender's domain", "差出人ドメインとの一致" } } },
	{ "MX", { { "replies and bounces come back", "返信・エラーメールの受信先" } } },
	{ "MTA-STS", { { "mail that comes in is encrypted", "受信時の暗号化" } } },
	{ "block lists", { { "lists of spammers' addresses", "ブロックリスト" } } },
};

static void show_check(struct page *page, struct slice check)
{
	page_text(page, check);
	for (size_t i = 0; i < array_count(meanings); i++) {
		if (!slice_has_prefix(check, slice_of(meanings[i].check)))
			continue;
		PAGE_HTML(page, "<br><small>");
		page_words(page, &meanings[i].words);
		PAGE_HTML(page, "</small>");
		return;
	}
}

enum verdict { VERDICT_NONE, VERDICT_PASS, VERDICT_INFO, VERDICT_WARN, VERDICT_FAIL };

static enum verdict verdict_of(const json_t *row)
{
	static const char *const names[] = { [VERDICT_PASS] = "pass",
					     [VERDICT_INFO] = "info",
					     [VERDICT_WARN] = "warn",
					     [VERDICT_FAIL] = "fail" };

	for (u32 i = VERDICT_PASS; i <= VERDICT_FAIL; i++) {
		if (strcmp(text_of(row, "result"), names[i]) == 0)
			return (enum verdict)i;
	}
	return VERDICT_NONE;
}

static void show_verdict(struct page *page, enum verdict verdict)
{
	static const struct {
		enum page_tone tone;
		enum word word;
	} rows[] = { [VERDICT_NONE] = { TONE_NEUTRAL, UNKNOWN },
		     [VERDICT_PASS] = { TONE_GOOD, PASS },
		     [VERDICT_INFO] = { TONE_NEUTRAL, INFO },
		     [VERDICT_WARN] = { TONE_WARNING, WARN },
		     [VERDICT_FAIL] = { TONE_BAD, FAIL } };

	page_badge(page, rows[verdict].tone, &words[rows[verdict].word]);
}

/* Of a customer: what the sender says, and what DNS said (NULL: it was not asked). */
struct view {
	struct page *page;
	const json_t *customer;
	const json_t *result;
};

/* The worst of the checks of that name, or of those that begin so. */
static enum verdict find_verdict(const json_t *result, const char *check, bool is_prefix)
{
	const json_t *checks = json_object_get(result, "checks");
	enum verdict worst = VERDICT_NONE;

	for (size_t i = 0; i < json_array_size(checks); i++) {
		const json_t *row = json_array_get(checks, i);
		const char *name = text_of(row, "check");
		bool is_it = is_prefix ? strncmp(name, check, strlen(check)) == 0 &&
						 strcmp(name, "SPF EHLO") != 0
				       : strcmp(name, check) == 0;

		if (is_it && verdict_of(row) > worst)
			worst = verdict_of(row);
	}
	return worst;
}

static void show_findings(const struct view *view, const char *domain)
{
	static const struct page_column columns[] = {
		{ { { "Check", "項目" } }, false },
		{ { { "Result", "結果" } }, false },
		{ { { "Since", "この結果になった日時" } }, false },
		{ { { "Found", "内容" } }, false },
		{ { { "What to do", "対処" } }, false },
		{ { { NULL, NULL } }, false },
	};
	const json_t *checks = json_object_get(view->result, "checks");
	bool is_aligned = identity_is_aligned(view->result);
	struct page *page = view->page;

	PAGE_HTML(page, "<h3>");
	PAGE_SENTENCE(page, &words[FINDINGS], slice_of(domain));
	PAGE_HTML(page, "</h3>");
	if (!view->result) {
		page_nothing(page, &words[NOT_CHECKED]);
		return;
	}
	PAGE_HTML(page, "<p>");
	PAGE_SENTENCE(page, &words[is_aligned ? ALIGNED : NOT_ALIGNED], slice_of(domain));
	PAGE_HTML(page, " ");
	page_words(page, &words[CHECKED]);
	page_time(page, page_sender_number(view->result, "checked_ms"));
	PAGE_HTML(page, "</p>");
	page_table_begin(page, &words[TITLE], columns);
	for (size_t i = 0; i < json_array_size(checks); i++) {
		const json_t *row = json_array_get(checks, i);

		page_row_begin(page);
		page_cell(page);
		show_check(page, page_sender_text(row, "check"));
		page_cell(page);
		show_verdict(page, verdict_of(row));
		page_cell_time(page, page_sender_number(row, "since_ms"));
		page_cell(page);
		page_identity_found(page, row);
		page_cell(page);
		page_identity_to_do(page, row);
		page_row_end(page);
	}
	page_table_end(page);
}

/* ---- what to publish ---- */

struct record {
	const char *name;
	const char *type;
	struct slice value;
	const struct words *why;
	enum verdict verdict;
};

static void show_record(const struct view *view, const struct record *record)
{
	struct page *page = view->page;

	page_row_begin(page);
	page_cell(page);
	page_copy(page, slice_of(record->name));
	page_cell_text(page, slice_of(record->type));
	page_cell(page);
	page_copy(page, record->value);
	page_cell(page);
	page_words(page, record->why);
	page_cell(page);
	show_verdict(page, record->verdict);
	page_row_end(page);
}

static bool is_any(const char *address)
{
	return strcmp(address, CONFIG_ANY_ADDRESS) == 0;
}

/*
 * "v=spf1 ip4:192.0.2.10 -all" (RFC 7208 section 4.5). Where the kernel chooses the address, it is
 * one that the EHLO name has: "a:mail.example.jp".
 */
static void make_spf(const json_t *addresses, const char *ehlo, struct buf *out)
{
	buf_add_text(out, "v=spf1");
	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const json_t *one = json_array_get(addresses, i);
		const char *address = text_of(one, "address");

		if (ehlo && strcmp(ehlo, text_of(one, "ehlo")) != 0)
			continue;
		if (is_any(address))
			buf_add_format(out, " a:%s", text_of(one, "ehlo"));
		else
			buf_add_format(out, " %s:%s", strchr(address, ':') ? "ip6" : "ip4",
				       address);
	}
	buf_add_text(out, " -all");
}

static bool is_first_of_name(const json_t *addresses, size_t at)
{
	const char *ehlo = text_of(json_array_get(addresses, at), "ehlo");

	for (size_t i = 0; i < at; i++) {
		if (strcmp(text_of(json_array_get(addresses, i), "ehlo"), ehlo) == 0)
			return false;
	}
	return true;
}

static void show_address(const struct view *view, const char *address, const char *ehlo)
{
	char check[100];

	snprintf(check, sizeof(check), "EHLO %.80s", address);
	show_record(view, &(struct record){ ehlo, strchr(address, ':') ? "AAAA" : "A",
					    slice_of(address), &words[WHY_ADDRESS],
					    find_verdict(view->result, check, false) });
}

static void show_addresses(const struct view *view, const char *domain)
{
	const json_t *addresses = json_object_get(view->customer, "addresses");

	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const json_t *one = json_array_get(addresses, i);
		const char *address = text_of(one, "address");
		const char *ehlo = text_of(one, "ehlo");
		struct buf spf;

		if (!is_any(address))
			show_address(view, address, ehlo);
		if (!is_first_of_name(addresses, i) || strcmp(ehlo, domain) == 0)
			continue;
		buf_init(&spf, 8192);
		make_spf(addresses, ehlo, &spf);
		/* Asked of the first one's name alone. */
		show_record(view, &(struct record){ ehlo, "TXT", buf_slice(&spf), &words[WHY_EHLO],
						    i > 0 ? VERDICT_NONE :
							    find_verdict(view->result, "SPF EHLO",
									 false) });
		buf_done(&spf);
	}
}

static void show_hints(struct page *page, const json_t *addresses)
{
	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const json_t *one = json_array_get(addresses, i);
		const char *address = text_of(one, "address");

		PAGE_HTML(page, "<p>");
		if (is_any(address))
			PAGE_SENTENCE(page, &words[ANY_ADDRESS], slice_of(text_of(one, "ehlo")));
		else
			PAGE_SENTENCE(page, &words[PTR], slice_of(address),
				      slice_of(text_of(one, "ehlo")));
		PAGE_HTML(page, "</p>");
	}
}

/* "DKIM s2026": the check of a key has its selector. */
static void show_keys(const struct view *view)
{
	const json_t *keys = json_object_get(view->customer, "keys");

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *key = json_array_get(keys, i);
		const char *name = text_of(key, "name");
		char check[100];

		snprintf(check, sizeof(check), "DKIM %.*s", (int)strcspn(name, "."), name);
		show_record(view, &(struct record){ name, "TXT", slice_of(text_of(key, "record")),
						    &words[WHY_DKIM],
						    find_verdict(view->result, check, false) });
	}
}

static void show_domain(const struct view *view, const char *domain)
{
	const json_t *addresses = json_object_get(view->customer, "addresses");
	struct buf text;
	char name[300];

	buf_init(&text, 8192);
	make_spf(addresses, NULL, &text);
	show_record(view, &(struct record){ domain, "TXT", buf_slice(&text), &words[WHY_SPF],
					    find_verdict(view->result, "SPF ", true) });
	buf_reset(&text);
	buf_add_format(&text, "v=DMARC1; p=none; rua=mailto:dmarc@%s", domain);
	snprintf(name, sizeof(name), "_dmarc.%.253s", domain);
	show_record(view, &(struct record){ name, "TXT", buf_slice(&text), &words[WHY_DMARC],
					    find_verdict(view->result, "DMARC", false) });
	buf_done(&text);
}

static void show_customer(const struct view *view)
{
	static const struct page_column columns[] = {
		{ { { "Name", "名前" } }, false }, { { { "Type", "種類" } }, false },
		{ { { "Value", "値" } }, false },  { { { "For", "用途" } }, false },
		{ { { "In DNS", "DNSの状態" } }, false }, { { { NULL, NULL } }, false },
	};
	const char *domain = text_of(view->customer, "domain");
	struct page *page = view->page;

	PAGE_HTML(page, "<section class=\"card\"><h2>");
	PAGE_SENTENCE(page, &words[RECORDS], slice_of(domain));
	PAGE_HTML(page, "</h2>");
	page_table_begin(page, &words[TITLE], columns);
	show_keys(view);
	show_domain(view, domain);
	show_addresses(view, domain);
	page_table_end(page);
	show_hints(page, json_object_get(view->customer, "addresses"));
	show_findings(view, domain);
	page_card_end(page);
}

/* ---- the page ---- */

static json_t *read_result(struct call *call, const char *domain)
{
	struct audience_txn *txn = call->web->reader;
	json_t *result = NULL;

	if (audience_begin_read(txn) == STORE_OK)
		result = identity_latest(txn, slice_of(domain));
	audience_abort(txn);
	return result;
}

static void show_customers(struct page *page, const json_t *customers)
{
	for (size_t i = 0; i < json_array_size(customers); i++) {
		struct view view = { page, json_array_get(customers, i), NULL };
		json_t *result = read_result(page->call, text_of(view.customer, "domain"));

		view.result = result;
		show_customer(&view);
		json_decref(result);
	}
}

/* The number of a check that somebody waits for. */
static bool is_checking(struct call *call)
{
	u64 asked;

	return slice_to_u64(call_query(call, "asked"), &asked) &&
	       !identity_is_done(call->web->identity, asked);
}

static void keep(void *owner, const json_t *json)
{
	struct call *call = owner;

	/* The cast: a reference is counted, the value stays as it is. */
	if (json_array_size(call->items) < CUSTOMERS_MAX)
		json_array_append(call->items, (json_t *)(uintptr_t)json);
}

static void on_shown(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;
	bool checking = is_checking(call);
	struct page page;

	(void)json;
	call->exchange = NULL;
	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_DNS,
					.title = &words[TITLE],
					.refresh_s = checking ? REFRESH_S : 0 });
	if (checking)
		page_message(&page, TONE_NEUTRAL, &words[CHECKING]);
	if (end == EXCHANGE_REPLIED)
		page_paragraph(&page, &words[INTRODUCTION]);
	else
		page_message(&page, TONE_WARNING, &words[AWAY]);
	if (call->session.role >= ACCOUNT_EDITOR && !checking) {
		PAGE_HTML(&page, "<div class=\"actions\">");
		PAGE_BUTTON(&page, TONE_GOOD, &words[CHECK_NOW], "/admin/dns");
		PAGE_HTML(&page, "</div>");
	}
	if (end == EXCHANGE_REPLIED)
		show_customers(&page, call->items);
	page_end(&page, 200);
}

static const struct exchange_events show_events = { keep, on_shown };

void page_dns(struct call *call)
{
	if (!call_begin_items(call))
		return;
	if (call_ask(call, &show_events, json_pack("{s:s}", "command", "identity.show")))
		call_ask_end(call);
}

/* ---- asking anew ---- */

void page_dns_check(struct call *call)
{
	u64 asked = identity_ask_anew(call->web->identity);

	CALL_REDIRECT(call, TONE_NEUTRAL, NULL, "/admin/dns?asked={}", DIGITS(asked));
}
