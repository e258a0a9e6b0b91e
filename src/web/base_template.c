#include "web/base_template.h"

#include "base/text.h"
#include "web/take_in.h"

#define FOLDER "src/web/base_template/"
/* All have one head and one style; only the title in it is each one's own. */
#define TAKE_IN_PAGE(name, language, title)                                                        \
	TAKE_IN_DATA(name##_##language,                                                            \
		     ".ascii \"<!doctype html>\\n<html lang=\\\"" #language "\\\">\\n\"\n"         \
		     ".incbin \"" FOLDER "meta.html\"\n"                                           \
		     ".ascii \"<title>" title "</title>\\n\"\n"                                    \
		     ".incbin \"" FOLDER "opening.html\"\n"                                        \
		     ".incbin \"" FOLDER #name "." #language ".html\"\n")

TAKE_IN_PAGE(announcement, en, "News");
TAKE_IN_PAGE(announcement, ja, "お知らせ");
TAKE_IN_PAGE(products, en, "Products");
TAKE_IN_PAGE(products, ja, "おすすめ商品");
TAKE_IN_PAGE(letter, en, "Letter");
TAKE_IN_PAGE(letter, ja, "お手紙");
TAKE_IN_PAGE(receipt, en, "Order confirmation");
TAKE_IN_PAGE(receipt, ja, "ご注文の確認");

#define FILE(name) { asset_##name, &asset_##name##_size }

static const struct {
	const char *bytes;
	const u64 *size;
} files[BASE_TEMPLATES][LANGUAGES] = {
	{ FILE(announcement_en), FILE(announcement_ja) },
	{ FILE(products_en), FILE(products_ja) },
	{ FILE(letter_en), FILE(letter_ja) },
	{ FILE(receipt_en), FILE(receipt_ja) },
};

const struct base_template base_templates[BASE_TEMPLATES] = {
	{ "announcement",
	  AUDIENCE_TEMPLATE_MAIL,
	  { { "Newsletter", "お知らせ" } },
	  { { "A headline with a button, and three topics.", "見出しとボタン、3つのトピック。" } },
	  { { "News from us", "新しいお知らせ" } },
	  { { "What is new this month.", "今月のお知らせをお届けします。" } },
	  { { "", "" } } },
	{ "products",
	  AUDIENCE_TEMPLATE_MAIL,
	  { { "Products", "商品の紹介" } },
	  { { "Products in two columns, one on a phone.",
	      "商品を2列で紹介します。スマートフォンでは1列です。" } },
	  { { "Picked for you this week", "今週のおすすめ" } },
	  { { "Four things that we like.", "季節に合わせて選んだ4点です。" } },
	  { { "", "" } } },
	{ "letter",
	  AUDIENCE_TEMPLATE_MAIL,
	  { { "Letter", "お手紙" } },
	  { { "Plain words from one person to another.", "装飾のない、手紙のようなメール。" } },
	  { { "A word from us", "いつもありがとうございます" } },
	  { { "A short letter.", "担当者からのご挨拶です。" } },
	  { { "", "" } } },
	{ "receipt",
	  AUDIENCE_TEMPLATE_PROGRAM,
	  { { "Order confirmation", "ご注文の確認" } },
	  { { "Sent by a program when somebody orders, with the items as a table.",
	      "注文時にプログラムから送るメール。商品を表にします。" } },
	  { { "Your order {{order}}", "ご注文の確認 {{order}}" } },
	  { { "We have your order.", "ご注文を承りました。" } },
	  { { "{\"name\": \"Ann\", \"order\": \"A-1001\", \"date\": \"2026-12-01\",\n"
	      " \"items\": [{\"name\": \"Notebook\", \"quantity\": 2, \"price\": \"$9.00\"},\n"
	      "           {\"name\": \"Pencil\", \"quantity\": 1, \"price\": \"$1.20\"}],\n"
	      " \"total\": \"$19.20\"}",
	      "{\"name\": \"森\", \"order\": \"A-1001\", \"date\": \"2026-12-01\",\n"
	      " \"items\": [{\"name\": \"ノート\", \"quantity\": 2, \"price\": 900},\n"
	      "           {\"name\": \"鉛筆\", \"quantity\": 1, \"price\": 120}],\n"
	      " \"total\": 1920}" } } },
};

const struct base_template *base_template_find(struct slice name)
{
	for (size_t i = 0; i < BASE_TEMPLATES; i++) {
		if (slice_equal(name, slice_of(base_templates[i].name)))
			return &base_templates[i];
	}
	return NULL;
}

struct slice base_template_html(const struct base_template *base, enum language language)
{
	size_t index = (size_t)(base - base_templates);

	return (struct slice){ files[index][language].bytes, *files[index][language].size };
}
