/*
 * Words of other languages than English: asked before the general rows, with which they have none
 * in common. Fragments are bytes of UTF-8; hosts that write without accents are more than those
 * that do not.
 */
#include "smtp/reply_class_row.h"

static const struct smtp_class_row rows[] = {
	/* German */
	ROW(RATE, TEXT("zu viele")),
	ROW(MAILBOX_FULL, TEXT("postfach", "voll")),
	ROW(MAILBOX_FULL, TEXT("speicherplatz")),
	ROW(REPUTATION, TEXT("gesperrt"), AT(BEFORE_RCPT)),
	ROW(POLICY, TEXT("absender")),
	ROW(BAD_MAILBOX, TEXT("unbekannt")),
	ROW(BAD_MAILBOX, TEXT("existiert nicht")),
	ROW(BAD_MAILBOX, TEXT("nicht gefunden")),
	/* French */
	ROW(RATE, TEXT("trop de")),
	ROW(MAILBOX_FULL, TEXT("pleine")),
	ROW(REPUTATION, TEXT("bloqu"), AT(BEFORE_RCPT)), /* Spanish and Portuguese, too */
	ROW(POLICY, TEXT("expediteur")),
	ROW(BAD_MAILBOX, TEXT("inconnu")),
	ROW(BAD_MAILBOX, TEXT("inexistant")),
	ROW(BAD_MAILBOX, TEXT("n'existe pas")),
	/* Spanish, Italian, Portuguese, Dutch */
	ROW(RATE, TEXT("demasiad")),
	ROW(MAILBOX_FULL, TEXT("llen", "buz")),
	ROW(MAILBOX_FULL, TEXT("buz", "llen")),
	ROW(BAD_MAILBOX, TEXT("no existe")),
	ROW(BAD_MAILBOX, TEXT("desconocido")),
	ROW(MAILBOX_FULL, TEXT("casella", "piena")),
	ROW(BAD_MAILBOX, TEXT("inesistente")),
	ROW(BAD_MAILBOX, TEXT("sconosciut")),
	ROW(MAILBOX_FULL, TEXT("caixa", "cheia")),
	ROW(BAD_MAILBOX, TEXT("inexistente")),
	ROW(BAD_MAILBOX, TEXT("bestaat niet")),
	/* Japanese, with what it means */
	ROW(RATE, TEXT("送信数")),                   /* number of messages sent */
	ROW(RATE, TEXT("接続数")),                   /* number of connections */
	ROW(RATE, TEXT("流量制限")),                 /* flow control */
	ROW(RATE, TEXT("大量")),                     /* in bulk */
	ROW(MAILBOX_FULL, TEXT("いっぱい")),         /* full */
	ROW(MAILBOX_FULL, TEXT("ボックス", "容量")), /* the box's capacity */
	ROW(MAILBOX_FULL, TEXT("容量超過")),         /* over its capacity */
	ROW(CONTENT, TEXT("容量", "大き")),          /* the amount is large */
	ROW(CONTENT, TEXT("サイズ", "大き")),        /* the size is large */
	ROW(CONTENT, TEXT("ウイルス")),              /* virus */
	ROW(CONTENT, TEXT("迷惑メール")),            /* unwanted mail */
	ROW(AUTH_FAILURE, TEXT("なりすまし")),       /* pretending to be another */
	ROW(AUTH_FAILURE, TEXT("ドメイン認証")),     /* authentication of domains */
	ROW(DNS, TEXT("逆引き")),                    /* reverse lookup */
	ROW(REPUTATION, TEXT("ブラックリスト")),     /* block list */
	ROW(BAD_MAILBOX, TEXT("宛先不明")),          /* addressee not known */
	ROW(BAD_MAILBOX, TEXT("存在しません")),      /* does not exist */
	ROW(BAD_MAILBOX, TEXT("存在しない")),
	ROW(TRANSIENT_HOST, TEXT("メンテナンス")),   /* maintenance */
	ROW(TRANSIENT_HOST, TEXT("混雑")),           /* crowded */
	ROW(POLICY, TEXT("受信拒否")),               /* reception refused */
	ROW(POLICY, TEXT("受信を拒否")),
};

const struct smtp_class_table smtp_class_languages = { rows, array_count(rows) };
