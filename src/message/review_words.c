/* Findings in words. "%" stands for the detail. */
#include "message/review.h"

#include "base/text.h"

struct phrase {
	const char *problem;
	const char *advice;
};

static const struct phrase english[REVIEW_KINDS] = {
	[REVIEW_TEMPLATE_BROKEN] = { "The template cannot be used: %",
				     "Mend the place that is named; then look again, there may be "
				     "more." },
	[REVIEW_CHARACTER] = { "ISO-2022-JP has no character \"%\".",
			       "Write it another way, or send the message in UTF-8." },
	[REVIEW_SUBJECT_EMPTY] = { "There is no subject.",
				   "Write one: messages without a subject look like spam." },
	[REVIEW_SUBJECT_LONG] = { "The subject is long; many inboxes will cut it.",
				  "Put what matters first, and keep it below 60 letters." },
	[REVIEW_BODY_EMPTY] = { "The message has no text.", "Write a text, or HTML, or both." },
	[REVIEW_NO_TEXT] = { "There is HTML only, and no plain text.",
			     "Have the plain text made, or write one: some people read it, and "
			     "filters look for it." },
	[REVIEW_NO_UNSUBSCRIBE_LINK] = { "The body has no link to unsubscribe by.",
					 "Put {{unsubscribe_url}} in, with words that say what it "
					 "is for. The law asks for it." },
	[REVIEW_NO_UNSUBSCRIBE_HEADER] = { "The message will have no List-Unsubscribe field.",
					   "Set the address of the public pages in the settings: "
					   "Gmail and Yahoo ask senders for this field." },
	[REVIEW_IDENTITY_UNSET] = { "The settings do not say who sends: %.",
				    "Fill in the sender's name, postal address and contact. The "
				    "law asks for them in every message." },
	[REVIEW_NO_SENDER_NAME] = { "The sender's name is not in the body: %.",
				    "Write it, at the end for instance. The law asks for it." },
	[REVIEW_NO_SENDER_ADDRESS] = { "The sender's postal address is not in the body: %.",
				       "Write it, at the end for instance. The law asks for it." },
	[REVIEW_NO_SENDER_CONTACT] = { "The body does not say where complaints and questions go: "
				       "%.",
				       "Write it, at the end for instance. The law asks for it." },
	[REVIEW_FIELD_MAY_BE_EMPTY] = { "{{%}} has no value for some recipients.",
					"Say what stands there then: {{%|default:\"...\"}}, or put "
					"{{#if %}} around it." },
	[REVIEW_LINE_LONG] = { "The line has more than 998 bytes.",
			       "Break it: some mail programs show it as one line." },
	[REVIEW_HTML_LARGE] = { "The HTML has % KB; Gmail shows 102 and cuts the rest.",
				"Take out what is not needed, or show the rest on a page. The "
				"link to unsubscribe by is often what is cut." },
	[REVIEW_NO_PREHEADER] = { "There is no preheader.",
				  "Write one sentence for it: inboxes show it behind the "
				  "subject." },
	[REVIEW_IMAGE_WITHOUT_ALT] = { "An image has no alt text: %",
				       "Describe it in a few words; many people read without "
				       "images. Of an ornament: alt=\"\"." },
	[REVIEW_IMAGE_DATA] = { "An image is written into the HTML itself (data:).",
				"Upload it: Gmail and Outlook do not show such images." },
	[REVIEW_IMAGES_LARGE] = { "All images together have % KB.",
				  "Make them smaller: 1 MB is much on a telephone." },
	[REVIEW_IMAGES_ALONE] = { "There are images and hardly any text.",
				  "Write what they say as text, too: without images nothing is "
				  "left, and filters distrust it." },
	[REVIEW_LINK_SCRIPT] = { "A link is a script or data: %",
				 "Link to a page; mail programs take scripts out." },
	[REVIEW_LINK_EMPTY] = { "A link leads nowhere.", "Give it an address, or take it out." },
	[REVIEW_LINK_RELATIVE] = { "An address is not whole: %",
				   "Write it with https:// and the host: a message has no page to "
				   "start from." },
	[REVIEW_LINK_PLAIN] = { "An address is not encrypted: %", "Use https:// if you can." },
	[REVIEW_LINK_SHORTENED] = { "A link goes through a shortener: %",
				    "Use the real address: filters distrust shorteners, and so do "
				    "readers." },
	[REVIEW_LINK_DISGUISED] = { "A link shows another address than it leads to: %",
				    "Show words, or the address that it leads to: mail programs "
				    "warn of such links, as fraud has them." },
	[REVIEW_ELEMENT] = { "Mail programs take <%> out.",
			     "Link to a page that has it instead." },
	[REVIEW_IMAGE_GONE] = { "An image is not here: %",
				"Bring it again, which gives it the same address, or take it "
				"out." },
	[REVIEW_INLINE_LARGE] = { "The images in the mail itself have % KB together, at most 5120 "
				  "go.",
				  "Make them smaller, or do not have them in the mail itself." },
};

static const struct phrase japanese_words[REVIEW_KINDS] = {
	[REVIEW_TEMPLATE_BROKEN] = { "テンプレートに誤りがあります: %",
				     "示された箇所を直してから、もう一度確認してください。"
				     "ほかにも誤りがあるかもしれません。" },
	[REVIEW_CHARACTER] = { "ISO-2022-JP では「%」を表せません。",
			       "別の文字に書き換えるか、UTF-8 で送信してください。" },
	[REVIEW_SUBJECT_EMPTY] = { "件名がありません。",
				   "件名を入力してください。件名のないメールは迷惑メールと"
				   "みなされやすくなります。" },
	[REVIEW_SUBJECT_LONG] = { "件名が長いため、途中までしか表示されないことがあります。",
				  "大事な言葉を先頭に置き、全角30文字以内にしてください。" },
	[REVIEW_BODY_EMPTY] = { "本文がありません。",
				"テキストまたは HTML の本文を入力してください。" },
	[REVIEW_NO_TEXT] = { "HTML だけで、テキスト形式の本文がありません。",
			     "テキスト形式の本文を自動作成するか、入力してください。"
			     "テキストで読む方がおり、迷惑メールの判定にも影響します。" },
	[REVIEW_NO_UNSUBSCRIBE_LINK] = { "本文に配信停止のリンクがありません。",
					 "配信停止の手続きだと分かる言葉とともに "
					 "{{unsubscribe_url}} を入れてください。"
					 "特定電子メール法で義務づけられています。" },
	[REVIEW_NO_UNSUBSCRIBE_HEADER] = { "List-Unsubscribe ヘッダーが付きません。",
					   "設定で公開ページの URL を入力してください。"
					   "Gmail や Yahoo が送信者に求めています。" },
	[REVIEW_IDENTITY_UNSET] = { "送信者の情報が設定されていません: %",
				    "送信者の名称、住所、問い合わせ先を設定してください。"
				    "特定電子メール法で、すべてのメールへの表示が"
				    "義務づけられています。" },
	[REVIEW_NO_SENDER_NAME] = { "本文に送信者の名称がありません: %",
				    "本文の末尾などに書いてください。"
				    "特定電子メール法で義務づけられています。" },
	[REVIEW_NO_SENDER_ADDRESS] = { "本文に送信者の住所がありません: %",
				       "本文の末尾などに書いてください。"
				       "特定電子メール法で義務づけられています。" },
	[REVIEW_NO_SENDER_CONTACT] = { "本文に苦情や問い合わせの受付先がありません: %",
				       "本文の末尾などに書いてください。"
				       "特定電子メール法で義務づけられています。" },
	[REVIEW_FIELD_MAY_BE_EMPTY] = { "{{%}} の値がない宛先があります。",
					"{{%|default:\"…\"}} のように値がないときの言葉を決めるか、"
					"{{#if %}} で囲んでください。" },
	[REVIEW_LINE_LONG] = { "998バイトを超える行があります。",
			       "改行してください。1行のまま表示するメールソフトがあります。" },
	[REVIEW_HTML_LARGE] = { "HTML が % KB あります。Gmail は 102 KB までしか表示しません。",
				"不要な部分を削るか、続きをウェブページに載せてください。"
				"末尾の配信停止リンクが表示されなくなります。" },
	[REVIEW_NO_PREHEADER] = { "プリヘッダーがありません。",
				  "受信箱で件名の後ろに表示される一文を入力してください。" },
	[REVIEW_IMAGE_WITHOUT_ALT] = { "画像に代替テキスト (alt) がありません: %",
				       "画像を表示しない方のために、内容を短い言葉で書いてください。"
				       "飾りの画像は alt=\"\" とします。" },
	[REVIEW_IMAGE_DATA] = { "画像が HTML に直接書き込まれています (data:)。",
				"画像をアップロードしてください。"
				"Gmail や Outlook では表示されません。" },
	[REVIEW_IMAGES_LARGE] = { "画像が合計で % KB あります。",
				  "小さくしてください。スマートフォンでは 1 MB でも重くなります。" },
	[REVIEW_IMAGES_ALONE] = { "画像ばかりで、文字がほとんどありません。",
				  "画像の内容を文字でも書いてください。画像を表示しないと何も残らず、"
				  "迷惑メールとみなされやすくなります。" },
	[REVIEW_LINK_SCRIPT] = { "リンク先がスクリプトまたはデータです: %",
				 "ウェブページへのリンクにしてください。"
				 "スクリプトはメールソフトが取り除きます。" },
	[REVIEW_LINK_EMPTY] = { "リンク先が空です。",
				"リンク先を入力するか、リンクを外してください。" },
	[REVIEW_LINK_RELATIVE] = { "URL が完全ではありません: %",
				   "https:// とホスト名から書いてください。"
				   "メールには元になるページがありません。" },
	[REVIEW_LINK_PLAIN] = { "暗号化されていない URL です: %",
				"できれば https:// を使ってください。" },
	[REVIEW_LINK_SHORTENED] = { "短縮 URL が使われています: %",
				    "元の URL を使ってください。短縮 URL は迷惑メールの判定でも"
				    "読者にも信用されません。" },
	[REVIEW_LINK_DISGUISED] = { "表示されている URL とリンク先が違います: %",
				    "言葉で表すか、リンク先と同じ URL を表示してください。"
				    "詐欺メールと同じ形のため、警告するメールソフトがあります。" },
	[REVIEW_ELEMENT] = { "<%> はメールソフトが取り除きます。",
			     "代わりに、それを載せたウェブページへリンクしてください。" },
	[REVIEW_IMAGE_GONE] = { "画像が登録されていません: %",
				"同じ画像をもう一度アップロードする（URL は同じになります）か、"
				"削除してください。" },
	[REVIEW_INLINE_LARGE] = { "メールに埋め込む画像が合計で % KB あります（上限は 5120 KB）。",
				  "画像を小さくするか、埋め込まない設定にしてください。" },
};

/* The names of what check_configuration misses. */
static struct slice translate(const struct review_finding *finding, bool japanese)
{
	static const struct {
		struct slice english;
		struct slice japanese;
	} facts[] = { { SLICE("name"), SLICE("名称") },
		      { SLICE("address"), SLICE("住所") },
		      { SLICE("contact"), SLICE("問い合わせ先") } };

	for (size_t i = 0; i < array_count(facts); i++) {
		if (japanese && finding->kind == REVIEW_IDENTITY_UNSET &&
		    slice_equal(finding->detail, facts[i].english))
			return facts[i].japanese;
	}
	return finding->detail;
}

static void add(const char *phrase, const struct review_finding *finding, bool japanese,
		struct buf *out)
{
	for (; *phrase; phrase++) {
		if (*phrase == '%')
			buf_add_slice(out, translate(finding, japanese));
		else
			buf_add_char(out, *phrase);
	}
}

void review_add_problem(const struct review_finding *finding, bool japanese, struct buf *out)
{
	add((japanese ? japanese_words : english)[finding->kind].problem, finding, japanese, out);
}

void review_add_advice(const struct review_finding *finding, bool japanese, struct buf *out)
{
	add((japanese ? japanese_words : english)[finding->kind].advice, finding, japanese, out);
}
