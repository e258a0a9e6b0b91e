#include "web/identity_words.h"

#include "base/text.h"

#include <string.h>

struct row {
	const char *code;
	const char *japanese;
};

/* Findings by delivery/identity_check.h, then the reasons of SPF, DKIM and DMARC. */
static const struct row found[] = {
	{ "no-address", "送信元のアドレスがわかりません" },
	{ "no-key", "読み取れる鍵がありません" },
	{ "dns-no-record", "レコードがありません" },
	{ "dns-no-name", "その名前はDNSにありません" },
	{ "dns-failed", "DNSサーバーから有効な応答がありません" },
	{ "dns-timeout", "時間内に応答がありません" },
	{ "dns-bogus", "DNSSECの検証に失敗しました" },
	{ "ptr", "{1}" },
	{ "ptr-other", "{1}（EHLO の名前と異なります）" },
	{ "ptr-unconfirmed", "{1}（この名前にこのアドレスが登録されていません）" },
	{ "ptr-other-unconfirmed",
	  "{1}（この名前にこのアドレスが登録されておらず、EHLO の名前とも異なります）" },
	{ "ehlo", "{1} にこのアドレスが登録されています" },
	{ "ehlo-lacks", "{1} にこのアドレスが登録されていません" },
	{ "list-clean", "確認した{1}個のアドレスは登録されていません" },
	{ "list-listed", "登録されています：{1}" },
	{ "list-test-point", "テスト用の 127.0.0.2 にも応答せず、利用できません" },
	{ "list-refuses", "このサーバーのリゾルバーには応答しません" },
	{ "list-strange", "ブロックリストとして運用されていません（別のアドレスを返します）" },
	{ "list-silent", "応答がありません" },
	{ "list-not-asked", "公開アドレスがないため確認していません" },
	{ "spf-pass", "pass" },
	{ "spf-fail", "fail" },
	{ "spf-softfail", "softfail" },
	{ "spf-neutral", "neutral" },
	{ "spf-none", "none：SPFレコードがありません" },
	{ "spf-temperror", "temperror：DNSから応答が得られません" },
	{ "spf-permerror", "permerror：レコードに誤りがあります" },
	{ "key", "署名に使う鍵が公開されています" },
	{ "key-on-trial", "公開されていますが、試験中（t=y）です。t=y を外してください" },
	{ "dmarc", "p={1}（{2}）、アライメントは DKIM が {3}、SPF が {4}" },
	{ "dmarc-ignored",
	  "p={1}（{2}）、アライメントは DKIM が {3}、SPF が {4}。受信側は {5} を無視します" },
	{ "dmarc-none", "レコードがありません" },
	{ "dmarc-several", "レコードが複数あるため、受信側はどれも使いません" },
	{ "dmarc-silent", "応答がありません" },
	{ "aligned-both", "DKIM と SPF の両方がこのドメインを認証しています" },
	{ "aligned-dkim", "DKIM がこのドメインを認証しています" },
	{ "aligned-spf", "SPF がこのドメインを認証しています" },
	{ "aligned-not", "SPF も DKIM もこのドメインを認証していません" },
	{ "mx", "返信・エラーメールの受信サーバー：{1}台" },
	{ "mx-null", "メールを受信しないドメインとして登録されています" },
	{ "mx-address",
	  "MXレコードがありません。返信・エラーメールはドメインのアドレスに届きます" },
	{ "mx-nothing", "MXレコードもアドレスもなく、エラーメールを受信できません" },
	{ "mta-sts", "このドメイン宛てのメールのために公開されています" },
	{ "mta-sts-none", "公開されていません（受信メールに関する設定です）" },

	{ "spf-matched", "一致した項目 {1}" },
	{ "spf-no-term", "一致する項目がありません" },
	{ "spf-several", "{1} にSPFレコードが複数あります" },
	{ "spf-unreadable", "{1} のレコードを読み取れません" },
	{ "spf-terms", "DNSを参照する項目が10個を超えています：{1}" },
	{ "spf-voids", "見つからない参照が2回を超えています。最後は {1}" },
	{ "spf-mx-hosts", "MXのホストが10台を超えています：{1}" },
	{ "spf-included", "include 先にレコードがありません：{1}" },
	{ "spf-redirected", "redirect 先にレコードがありません：{1}" },
	{ "spf-name", "完全なドメイン名ではありません：{1}" },
	{ "spf-no-mechanism", "そのような項目はありません：{1}" },
	{ "spf-no-qualifier", "この項目には + - ~ ? を付けられません：{1}" },
	{ "spf-value", "値の形式に誤りがあります：{1}" },
	{ "spf-colon", "後に続けられるのはコロンと名前だけです：{1}" },
	{ "spf-behind-all", "all の後には何も書けません：{1}" },
	{ "spf-no-address", "アドレスがありません：{1}" },
	{ "spf-address", "アドレスではありません：{1}" },
	{ "spf-prefix", "プレフィックス長に誤りがあります：{1}" },
	{ "spf-no-domain", "ドメイン名がありません：{1}" },
	{ "spf-domain", "ドメイン名ではありません：{1}" },
	{ "spf-twice", "2回書かれています：{1}" },
	{ "spf-failed", "有効な応答がありません：{1}" },
	{ "spf-timeout", "時間内に応答がありません：{1}" },
	{ "spf-bogus", "DNSSECの検証に失敗しました：{1}" },

	{ "dkim-twice", "同じタグが2回あり、レコードが無効です" },
	{ "dkim-version", "v=DKIM1 で始まっておらず、鍵のレコードではありません" },
	{ "dkim-no-key", "レコードに鍵（p=）がありません" },
	{ "dkim-revoked", "鍵が失効しています（p= が空です）" },
	{ "dkim-other-key", "別の鍵が公開されています" },
	{ "dkim-algorithm", "別のアルゴリズム（k=）の鍵として公開されています" },
	{ "dkim-hash", "レコードが sha256 を許可していません（h=）" },
	{ "dkim-service", "レコードがメールでの利用を許可していません（s=）" },

	{ "dmarc-twice", "同じタグが2回あります" },
	{ "dmarc-no-policy", "ポリシーがありません（p=none、quarantine、reject のいずれか）" },
	{ "dmarc-subdomains", "sp= が none、quarantine、reject のいずれでもありません" },
};

static const struct row advice[] = {
	{ "ptr",
	  "アドレス {2} の逆引き（PTR）を {3} に設定するよう、回線事業者に依頼してください" },
	{ "replace", "登録済みのレコードと置き換えてください（SPFレコードは1ドメインに1つです）" },
	{ "resolver", "専用のリゾルバー、または名前に含める鍵が必要な場合があります"
		      "（設定 dns の block-lists）" },
	{ "list-says", "リストの説明：{2}" },
	{ "list-ask", "リストの運営者に解除を依頼してください" },
	{ "align", "上の SPF または DKIM のレコードを登録してください" },
};

static const char *find(const struct row *rows, size_t count, const char *code,
			enum language language)
{
	for (size_t i = 0; i < count && language == LANGUAGE_JAPANESE; i++) {
		if (strcmp(rows[i].code, code) == 0)
			return rows[i].japanese;
	}
	return NULL;
}

const char *identity_words_of_code(const char *code, enum language language)
{
	return find(found, array_count(found), code, language);
}

const char *identity_words_of_advice(const char *code, enum language language)
{
	return find(advice, array_count(advice), code, language);
}

/* ---- rows ---- */

static const char *text_of(const json_t *check, const char *name)
{
	const char *text = json_string_value(json_object_get(check, name));

	return text ? text : "";
}

static const char *detail_of(const json_t *check, size_t index)
{
	const char *text =
		json_string_value(json_array_get(json_object_get(check, "details"), index));

	return text ? text : "";
}

static void fill_in(const char *sentence, const json_t *check, struct buf *out)
{
	for (const char *at = sentence; *at; at++) {
		if (at[0] == '{' && at[1] >= '1' && at[1] <= '9' && at[2] == '}') {
			buf_add_text(out, detail_of(check, (size_t)(at[1] - '1')));
			at += 2;
		} else {
			buf_add_char(out, *at);
		}
	}
}

/* Of SPF: which term it was, and in whose record that is. */
static void add_reason(const json_t *check, enum language language, struct buf *out)
{
	const char *reason = identity_words_of_code(text_of(check, "reason"), language);

	if (!reason)
		return;
	buf_add_text(out, "（");
	fill_in(reason, check, out);
	if (detail_of(check, 1)[0])
		buf_add_format(out, "、%s のレコード", detail_of(check, 1));
	buf_add_text(out, "）");
}

void identity_words_found(const json_t *check, enum language language, struct buf *out)
{
	const char *sentence = identity_words_of_code(text_of(check, "code"), language);

	if (!sentence) {
		buf_add_text(out, text_of(check, "found"));
		return;
	}
	fill_in(sentence, check, out);
	add_reason(check, language, out);
}

void identity_words_advice(const json_t *check, enum language language, struct buf *out)
{
	const char *sentence = identity_words_of_advice(text_of(check, "advice"), language);

	if (sentence)
		fill_in(sentence, check, out);
	else
		buf_add_text(out, text_of(check, "advice_text"));
}
