/* What is said about the rows of an import, in Japanese and in English. */
#include "base/text.h"
#include "campaign/import_row.h"

struct kind_words {
	const char *name;
	bool refuses;
	const char *english;
	const char *japanese;
};

static const struct kind_words kinds[IMPORT_KINDS] = {
	[IMPORT_ROW_BAD] = { "row-bad", true, "the row cannot be read", "行を読み取れません" },
	[IMPORT_ROW_WIDTH] = { "row-width", true,
			       "it has another number of columns than the first row",
			       "列の数が1行目と違います" },
	[IMPORT_ADDRESS_NONE] = { "address-none", true, "it has no address",
				  "メールアドレスがありません" },
	[IMPORT_ADDRESS_BAD] = { "address-bad", true, "the address is wrong",
				 "メールアドレスが正しくありません" },
	[IMPORT_UNREADABLE] = { "unreadable", true,
				"a character is none of the file's encoding",
				"文字コードにない文字があります" },
	[IMPORT_VALUE_BAD] = { "value-bad", false, "a value is left out", "値を取り込みません" },
	[IMPORT_DUPLICATE] = { "duplicate", true, "the address came before in this file",
			       "同じメールアドレスがファイルの前の行にあります" },
	[IMPORT_TOO_LARGE] = { "too-large", true, "its values or lists are too much together",
			       "値またはリストの合計が大きすぎます" },
	[IMPORT_ERASED] = { "erased", true, "who has this address asked to be erased",
			    "削除を求めた方のメールアドレスです" },
	[IMPORT_STOPPED] = { "stopped", false, "gets no mail", "配信の対象になりません" },
	[IMPORT_ADDRESS_ODD] = { "address-odd", false, "the address is not by the RFC; it is taken",
				 "RFCに沿わないメールアドレスですが、取り込みます" },
	[IMPORT_KEPT] = { "kept", false, "has changed since the import, and stays as it is",
			  "取り込み後に変更されたため、元に戻しません" },
	[IMPORT_SUPPRESSED] = { "suppressed", true, "the sender's list has the address",
				"配信停止リストにあるメールアドレスです" },
};

static const struct kind_words *words_of(u32 kind)
{
	static const struct kind_words none = { "unknown", false, "something else", "その他" };

	return kind < IMPORT_KINDS && kinds[kind].name ? &kinds[kind] : &none;
}

bool import_kind_refuses(enum import_kind kind)
{
	return words_of(kind)->refuses;
}

const char *import_kind_name(enum import_kind kind)
{
	return words_of(kind)->name;
}

static const char *state_words(u8 state, bool japanese)
{
	switch (state) {
	case CONTACT_BOUNCED: return japanese ? "宛先不明" : "the mailbox does not take mail";
	case CONTACT_UNSUBSCRIBED: return japanese ? "配信停止済み" : "unsubscribed";
	case CONTACT_COMPLAINED: return japanese ? "迷惑メール報告" : "complained";
	default: return "";
	}
}

void import_report_words(struct buf *out, const struct import_report *report, bool japanese)
{
	const struct kind_words *words = words_of(report->kind);

	buf_add_text(out, japanese ? words->japanese : words->english);
	if (report->kind == IMPORT_VALUE_BAD) {
		buf_add_text(out, ": ");
		buf_add_text(out, value_problem_words((enum value_problem)report->problem,
						      japanese));
	} else if (report->kind == IMPORT_STOPPED || report->kind == IMPORT_SUPPRESSED) {
		buf_add_text(out, ": ");
		buf_add_text(out, state_words(report->problem, japanese));
	}
	if (report->text.len > 0) {
		buf_add_text(out, ": ");
		buf_add_slice(out, report->text);
	}
}
