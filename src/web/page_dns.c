/*
 * What each domain has to publish in DNS so that its mail is taken: by what the sender says of its
 * keys and addresses, in the form of a provider's form.
 */
#include "base/net_address.h"
#include "base/text.h"
#include "web/page.h"

#include <stdio.h>
#include <string.h>

#define CUSTOMERS_MAX 500

enum word {
	TITLE,
	INTRODUCTION,
	AWAY,
	RECORDS,
	CHECK,
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
	[CHECK] = { { "Whether they are there, and whether mail would pass, is told by the console:"
		      " check identity {1}",
		      "登録の確認はコンソールで行えます：check identity {1}" } },
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

static void show_record(struct page *page, const char *name, const char *type, struct slice value,
			const struct words *why)
{
	page_row_begin(page);
	page_cell(page);
	page_copy(page, slice_of(name));
	page_cell_text(page, slice_of(type));
	page_cell(page);
	page_copy(page, value);
	page_cell(page);
	page_words(page, why);
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

static void show_addresses(struct page *page, const json_t *addresses, const char *domain)
{
	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const json_t *one = json_array_get(addresses, i);
		const char *address = text_of(one, "address");
		const char *ehlo = text_of(one, "ehlo");
		struct buf spf;

		if (!is_any(address))
			show_record(page, ehlo, strchr(address, ':') ? "AAAA" : "A",
				    slice_of(address), &words[WHY_ADDRESS]);
		if (!is_first_of_name(addresses, i) || strcmp(ehlo, domain) == 0)
			continue;
		buf_init(&spf, 8192);
		make_spf(addresses, ehlo, &spf);
		show_record(page, ehlo, "TXT", buf_slice(&spf), &words[WHY_EHLO]);
		buf_done(&spf);
	}
}

static void show_hints(struct page *page, const json_t *addresses, const char *domain)
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
	PAGE_HTML(page, "<p class=\"hint\">");
	PAGE_SENTENCE(page, &words[CHECK], slice_of(domain));
	PAGE_HTML(page, "</p>");
}

static void show_customer(struct page *page, const json_t *customer)
{
	static const struct page_column columns[] = {
		{ { { "Name", "名前" } }, false },     { { { "Type", "種類" } }, false },
		{ { { "Value", "値" } }, false }, { { { "For", "用途" } }, false },
		{ { { NULL, NULL } }, false },
	};
	const json_t *addresses = json_object_get(customer, "addresses");
	const json_t *keys = json_object_get(customer, "keys");
	const char *domain = text_of(customer, "domain");
	struct buf text;
	char name[300];

	PAGE_HTML(page, "<section class=\"card\"><h2>");
	PAGE_SENTENCE(page, &words[RECORDS], slice_of(domain));
	PAGE_HTML(page, "</h2>");
	page_table_begin(page, &words[TITLE], columns);
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *key = json_array_get(keys, i);

		show_record(page, text_of(key, "name"), "TXT", slice_of(text_of(key, "record")),
			    &words[WHY_DKIM]);
	}
	buf_init(&text, 8192);
	make_spf(addresses, NULL, &text);
	show_record(page, domain, "TXT", buf_slice(&text), &words[WHY_SPF]);
	buf_reset(&text);
	buf_add_format(&text, "v=DMARC1; p=none; rua=mailto:dmarc@%s", domain);
	snprintf(name, sizeof(name), "_dmarc.%.253s", domain);
	show_record(page, name, "TXT", buf_slice(&text), &words[WHY_DMARC]);
	buf_done(&text);
	show_addresses(page, addresses, domain);
	page_table_end(page);
	show_hints(page, addresses, domain);
	page_card_end(page);
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
	struct page page;

	(void)json;
	call->exchange = NULL;
	page_begin(&page, call, &(struct page_head){ .place = PLACE_DNS, .title = &words[TITLE] });
	if (end == EXCHANGE_REPLIED)
		page_paragraph(&page, &words[INTRODUCTION]);
	else
		page_message(&page, TONE_WARNING, &words[AWAY]);
	for (size_t i = 0; end == EXCHANGE_REPLIED && i < json_array_size(call->items); i++)
		show_customer(&page, json_array_get(call->items, i));
	page_end(&page, 200);
}

static const struct exchange_events show_events = { keep, on_shown };

void page_dns(struct call *call)
{
	call->items = json_array();
	if (!call->items) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	if (call_ask(call, &show_events, json_pack("{s:s}", "command", "identity.show")))
		call_ask_end(call);
}
