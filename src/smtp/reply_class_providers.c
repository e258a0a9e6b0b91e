/*
 * What large providers say in their own words, or mean by codes of their own. A row with FROM is
 * read at their hosts alone; one without has a mark that nobody else uses, and is read wherever
 * that provider's filter stands in front of somebody's mail.
 */
#include "base/config.h"
#include "base/text.h"
#include "smtp/reply_class_row.h"

static const struct host {
	const char *pattern;
	enum smtp_provider provider;
} hosts[] = {
	{ "*.google.com", SMTP_PROVIDER_GOOGLE },
	{ "*.googlemail.com", SMTP_PROVIDER_GOOGLE },
	{ "*.outlook.com", SMTP_PROVIDER_MICROSOFT },
	{ "*.hotmail.com", SMTP_PROVIDER_MICROSOFT },
	{ "*.mx.microsoft", SMTP_PROVIDER_MICROSOFT },
	{ "*.yahoodns.net", SMTP_PROVIDER_YAHOO },
	{ "*.yahoo.co.jp", SMTP_PROVIDER_YAHOO_JAPAN },
	{ "*.icloud.com", SMTP_PROVIDER_APPLE },
	{ "*.apple.com", SMTP_PROVIDER_APPLE },
	{ "*.comcast.net", SMTP_PROVIDER_COMCAST },
	{ "*.gmx.net", SMTP_PROVIDER_IONOS },
	{ "*.web.de", SMTP_PROVIDER_IONOS },
	{ "*.mail.com", SMTP_PROVIDER_IONOS },
	{ "*.kundenserver.de", SMTP_PROVIDER_IONOS },
	{ "*.ionos.com", SMTP_PROVIDER_IONOS },
	{ "*.ionos.de", SMTP_PROVIDER_IONOS },
	{ "*.mail.ru", SMTP_PROVIDER_MAILRU },
	{ "*.mimecast.com", SMTP_PROVIDER_MIMECAST },
	{ "*.pphosted.com", SMTP_PROVIDER_PROOFPOINT },
	{ "*.ppe-hosted.com", SMTP_PROVIDER_PROOFPOINT },
	{ "*.iphmx.com", SMTP_PROVIDER_CISCO },
	{ "*.qq.com", SMTP_PROVIDER_TENCENT },
	{ "*.163.com", SMTP_PROVIDER_NETEASE },
	{ "*.netease.com", SMTP_PROVIDER_NETEASE },
	{ "*.t-online.de", SMTP_PROVIDER_T_ONLINE },
	{ "*.docomo.ne.jp", SMTP_PROVIDER_DOCOMO },
	{ "*.ezweb.ne.jp", SMTP_PROVIDER_KDDI },
	{ "*.au.com", SMTP_PROVIDER_KDDI },
	{ "*.softbank.ne.jp", SMTP_PROVIDER_SOFTBANK },
	{ "*.softbank.jp", SMTP_PROVIDER_SOFTBANK },
	{ "*.vodafone.ne.jp", SMTP_PROVIDER_SOFTBANK },
	{ "*.ymobile.ne.jp", SMTP_PROVIDER_SOFTBANK },
	{ "*.rakuten.jp", SMTP_PROVIDER_RAKUTEN },
	{ "*.rakuten.ne.jp", SMTP_PROVIDER_RAKUTEN },
	{ "*.rmail.jp", SMTP_PROVIDER_RAKUTEN },
	{ "*.ocn.ad.jp", SMTP_PROVIDER_JAPAN_ISP },
	{ "*.ocn.ne.jp", SMTP_PROVIDER_JAPAN_ISP },
	{ "*.so-net.ne.jp", SMTP_PROVIDER_JAPAN_ISP },
	{ "*.biglobe.ne.jp", SMTP_PROVIDER_JAPAN_ISP },
	{ "*.nifty.com", SMTP_PROVIDER_JAPAN_ISP },
	{ "*.iij.ad.jp", SMTP_PROVIDER_JAPAN_ISP },
	{ "*.securemx.jp", SMTP_PROVIDER_JAPAN_ISP },
	{ "*.plala.or.jp", SMTP_PROVIDER_JAPAN_ISP },
	{ "*.dion.ne.jp", SMTP_PROVIDER_JAPAN_ISP },
};

enum smtp_provider smtp_provider_of(struct slice mx)
{
	for (size_t i = 0; i < array_count(hosts); i++) {
		if (config_pattern_matches(hosts[i].pattern, mx))
			return hosts[i].provider;
	}
	return SMTP_PROVIDER_ANY;
}

static const struct smtp_class_row rows[] = {
	/* Gmail. 421 and 550 come with the same details. */
	ROW(BAD_MAILBOX, STATUS(5, 2, 1), TEXT("disabled"), FROM(GOOGLE)),
	ROW(RATE, TEXT("receiving mail too quickly")),
	ROW(RATE, TEXT("receiving mail at a rate that")),
	ROW(RATE, STATUS(0, 7, 28), FROM(GOOGLE)),
	ROW(RATE, TEXT("unusual rate of unsolicited")),
	ROW(RATE, TEXT("unusual rate of mail")),
	ROW(REPUTATION, TEXT("likely suspicious", "low reputation"), FROM(GOOGLE)),
	ROW(REPUTATION, TEXT("very low reputation of the sending")),
	ROW(REPUTATION, TEXT("not authorized to send email directly to our servers")),
	ROW(CONTENT, TEXT("likely unsolicited mail"), FROM(GOOGLE)),
	ROW(DNS, TEXT("sending guidelines regarding ptr records")),
	ROW(DNS, STATUS(0, 7, 25), FROM(GOOGLE)),
	ROW(DNS, TEXT("does not have a ptr record"), FROM(GOOGLE)),
	ROW(AUTH_FAILURE, STATUS(0, 7, 24), FROM(GOOGLE)),
	ROW(AUTH_FAILURE, STATUS(0, 7, 26), FROM(GOOGLE)),
	ROW(AUTH_FAILURE, STATUS(0, 7, 27), FROM(GOOGLE)), /* SPF; RFC 7505 has null MX there */
	ROW(POLICY, STATUS(0, 7, 29), FROM(GOOGLE)),       /* TLS; RFC 8617 has ARC there */
	ROW(AUTH_FAILURE, STATUS(0, 7, 30), FROM(GOOGLE)), /* DKIM; RFC 8689 has REQUIRETLS */
	ROW(AUTH_FAILURE, STATUS(0, 7, 31), FROM(GOOGLE)),
	ROW(AUTH_FAILURE, STATUS(0, 7, 32), FROM(GOOGLE)),
	ROW(AUTH_FAILURE, STATUS(0, 7, 40), FROM(GOOGLE)),
	ROW(DNS, STATUS(0, 7, 23), FROM(GOOGLE)),
	ROW(RATE, STATUS(5, 4, 5), FROM(GOOGLE)), /* "daily sending limit" */
	ROW(RATE, TEXT("smtp relay limit")),
	ROW(PROTOCOL, TEXT("multiple destination domains per transaction")),
	ROW(POLICY, TEXT("not in whitelist")),
	ROW(RATE, CODE(421), STATUS(4, 7, 0), TEXT("try again later, closing connection")),
	ROW(MAILBOX_FULL, TEXT("inbox is out of storage")),

	/* Microsoft: Outlook.com's marks in parentheses, Exchange Online's details. */
	ROW(REPUTATION, TEXT("(s3140)")),
	ROW(REPUTATION, TEXT("(s3150)")),
	ROW(REPUTATION, TEXT("part of their network is on our block list")),
	ROW(RATE, STATUS(4, 7, 650)),
	ROW(RATE, STATUS(4, 7, 651)),
	ROW(RATE, STATUS(4, 7, 652)),
	ROW(RATE, STATUS(4, 7, 500), FROM(MICROSOFT)),
	ROW(RATE, STATUS(5, 7, 508), FROM(MICROSOFT)),
	ROW(RATE, STATUS(5, 7, 705), FROM(MICROSOFT)),
	ROW(RATE, STATUS(5, 2, 121), FROM(MICROSOFT)),
	ROW(RATE, STATUS(5, 2, 122), FROM(MICROSOFT)),
	ROW(RATE, TEXT("recipient thread limit exceeded")),
	ROW(RATE, TEXT("(rp-00")),
	ROW(AUTH_FAILURE, STATUS(5, 7, 509)),
	ROW(AUTH_FAILURE, STATUS(5, 7, 515)),
	ROW(CONTENT, STATUS(5, 7, 512), FROM(MICROSOFT)),
	ROW(DNS, STATUS(5, 7, 506), FROM(MICROSOFT)), /* "bad HELO" */
	ROW(REPUTATION, TEXT("banned sending ip")),
	ROW(REPUTATION, TEXT("banned sender"), FROM(MICROSOFT)),
	ROW(REPUTATION, STATUS(5, 7, 501), FROM(MICROSOFT)),
	ROW(REPUTATION, STATUS(5, 7, 502), FROM(MICROSOFT)),
	ROW(REPUTATION, STATUS(5, 7, 503), FROM(MICROSOFT)),
	ROW(REPUTATION, STATUS(5, 7, 511), FROM(MICROSOFT)),
	ROW(REPUTATION, STATUS(5, 7, 513), FROM(MICROSOFT)),
	ROW(REPUTATION, STATUS(5, 7, 708), FROM(MICROSOFT)),
	ROW(REPUTATION, TEXT("(sc-00")),
	ROW(REPUTATION, TEXT("(dy-00")),
	ROW(REPUTATION, TEXT("(ou-00")),
	ROW(BAD_MAILBOX, STATUS(5, 4, 1), TEXT("recipient address rejected: access denied")),
	ROW(BAD_MAILBOX, STATUS(5, 4, 310), FROM(MICROSOFT)),
	ROW(BAD_MAILBOX, STATUS(5, 5, 0), TEXT("mailbox unavailable"), FROM(MICROSOFT)),
	ROW(BAD_MAILBOX, TEXT("resolver.adr.")),
	ROW(POLICY, TEXT("resolver.rst.")),
	ROW(POLICY, TEXT("tenantattribution")),
	ROW(MAILBOX_FULL, TEXT("quotaexceeded")),

	/* Yahoo and AOL. */
	ROW(REPUTATION, TEXT("[ts03]")),
	ROW(REPUTATION, TEXT("[tss03]")),
	ROW(REPUTATION, TEXT("will be permanently deferred")),
	ROW(RATE, TEXT("[ts0")),
	ROW(RATE, TEXT("[tss")),
	ROW(RATE, TEXT("temporarily deferred due to", "user complaints")),
	ROW(RATE, TEXT("excessive unknown recipients")),
	ROW(REPUTATION, TEXT("[bl2")),
	ROW(CONTENT, TEXT("[ph0")),
	ROW(AUTH_FAILURE, STATUS(5, 7, 9), TEXT("not accepted for policy reasons")),
	ROW(CONTENT, TEXT("message not allowed - [")),
	ROW(CONTENT, TEXT("not accepted for policy reasons"), FROM(YAHOO)),
	ROW(BAD_MAILBOX, TEXT("doesn't have a yahoo")),
	ROW(BAD_MAILBOX, TEXT("mailbox is disabled (554.30)")),
	ROW(BAD_MAILBOX, TEXT("delivery error: dd", "user")),
	ROW(TRANSIENT_HOST, TEXT("resources temporarily", "[#4.16")),
	ROW(RATE, TEXT("(rtr:rl)")),
	ROW(REPUTATION, TEXT("(rtr:")),
	ROW(REPUTATION, TEXT("(rly:")),
	ROW(REPUTATION, TEXT("(dyn:")),
	ROW(CONTENT, TEXT("(hvu:")),
	ROW(CONTENT, TEXT("(con:")),

	/* Yahoo! JAPAN, which is another company. */
	ROW(BAD_MAILBOX, TEXT("delivery error: dd", "mailbox unavailable"), FROM(YAHOO_JAPAN)),
	ROW(BAD_MAILBOX, TEXT("unknown user"), FROM(YAHOO_JAPAN)),
	ROW(RATE, CODE(4), TEXT("deferred"), FROM(YAHOO_JAPAN)),
	ROW(CONTENT, TEXT("policy reasons"), FROM(YAHOO_JAPAN)),

	/* iCloud. */
	ROW(CONTENT, TEXT("[hm0")),
	ROW(REPUTATION, TEXT("[cs01]")),
	ROW(BAD_MAILBOX, TEXT("no user record found")),
	ROW(BAD_MAILBOX, TEXT("recipient no longer on server")),
	ROW(CONTENT, TEXT("message rejected due to local policy"), FROM(APPLE)),

	/* Comcast: two letters and six digits. */
	ROW(RATE, TEXT("rl0000"), FROM(COMCAST)),
	ROW(REPUTATION, TEXT("bl0000"), FROM(COMCAST)),
	ROW(REPUTATION, TEXT("es0000"), FROM(COMCAST)), /* dynamic addresses */
	ROW(DNS, TEXT("pt0000"), FROM(COMCAST)),
	ROW(AUTH_FAILURE, TEXT("pf0000"), FROM(COMCAST)),
	ROW(AUTH_FAILURE, TEXT("dm0000"), FROM(COMCAST)),
	ROW(REPUTATION, TEXT("comcast block for spam")),

	/* GMX, web.de, IONOS: the letter behind c= says which rule it was. */
	ROW(DNS, TEXT("bad dns ptr")),
	ROW(DNS, TEXT("postmaster.", "error-messages?", "c=rdns")),
	ROW(CONTENT, TEXT("postmaster.", "error-messages?", "c=hi")),
	ROW(AUTH_FAILURE, TEXT("postmaster.", "error-messages?", "c=spf")),
	ROW(CONTENT, TEXT("postmaster.", "error-messages?", "c=sp")),
	ROW(REPUTATION, TEXT("postmaster.", "error-messages?", "c=bip")),
	ROW(REPUTATION, TEXT("postmaster.", "error-messages?", "c=bl")),
	ROW(RATE, TEXT("postmaster.", "error-messages?", "c=rl")),
	ROW(RATE, TEXT("postmaster.", "error-messages?", "c=mr")),
	ROW(AUTH_FAILURE, TEXT("postmaster.", "error-messages?", "c=dmarc")),
	ROW(REPUTATION, TEXT("postmaster.", "error-messages?ip=")),
	/* Too many addresses that do not exist, or names in EHLO that change. */
	ROW(REPUTATION, TEXT("reject due to policy violations"), FROM(IONOS)),
	ROW(BAD_MAILBOX, CODE(550), TEXT("mailbox unavailable"), FROM(IONOS)),

	/* Mail.ru. */
	ROW(BAD_MAILBOX, TEXT("local mailbox", "is unavailable: user not found")),
	ROW(BAD_MAILBOX, TEXT("local mailbox", "is disabled")),
	ROW(MAILBOX_FULL, TEXT("local mailbox", "over quota")),
	ROW(CONTENT, TEXT("notspam-support")),
	ROW(RATE, TEXT("ratelimit"), FROM(MAILRU)),

	/* Filters that stand in front of others' mail: Proofpoint, Mimecast, Barracuda, Cisco. */
	ROW(REPUTATION, TEXT("ipcheck.proofpoint.com")),
	ROW(REPUTATION, TEXT("proofpoint.com/dnsbl-lookup")),
	ROW(REPUTATION, TEXT("local ct ip reputation")),
	ROW(GREYLISTED, CODE(451), TEXT("internal resource", "temporarily unavailable")),
	ROW(AUTH_FAILURE, TEXT("dmarc sender invalid")),
	ROW(POLICY, TEXT("anti-spoofing policy")),
	ROW(POLICY, TEXT("administrative prohibition")),
	ROW(POLICY, TEXT("manually blocked senders")),
	ROW(CONTENT, TEXT("rejected by anti-virus")),
	ROW(BAD_MAILBOX, CODE(550), TEXT("invalid recipient"), FROM(MIMECAST)),
	ROW(POLICY, TEXT("rejected due to security policies"), FROM(MIMECAST)),
	ROW(REPUTATION, TEXT("barracudanetworks.com/reputation")),
	ROW(REPUTATION, TEXT("barracudacentral.org")),
	ROW(REPUTATION, TEXT("blocked using barracuda")),
	ROW(REPUTATION, TEXT("sending mta's poor reputation")),
	ROW(REPUTATION, TEXT("your access to submit messages to this e-mail system")),
	ROW(BAD_MAILBOX, TEXT("#5.1.0 address rejected")),
	ROW(RATE, TEXT("#4.4.5 too many connections")),
	ROW(RATE, TEXT("#4.x.2 too many messages")),
	ROW(RATE, TEXT("too many recipients received this hour")),

	/* Tencent QQ, NetEase, T-Online. */
	ROW(RATE, TEXT("frequency limited"), FROM(TENCENT)),
	ROW(RATE, TEXT("connection denied"), FROM(TENCENT)),
	ROW(CONTENT, TEXT("suspected bounce attacks"), FROM(TENCENT)),
	ROW(CONTENT, TEXT("spam is embedded in the email"), FROM(TENCENT)),
	ROW(BAD_MAILBOX, TEXT("account is abnormal"), FROM(TENCENT)),
	ROW(MAILBOX_FULL, TEXT("exceed storage allotment"), FROM(TENCENT)),
	ROW(CONTENT, TEXT("dt:spm"), FROM(NETEASE)),
	ROW(RATE, TEXT("mi:spb"), FROM(NETEASE)),
	ROW(RATE, TEXT("mi:ccl"), FROM(NETEASE)),
	ROW(RATE, TEXT("rp:"), FROM(NETEASE)),
	ROW(BAD_MAILBOX, TEXT("user not found"), FROM(NETEASE)),
	ROW(REPUTATION, TEXT("tosa@rx.t-online.de")),
	ROW(REPUTATION, TEXT("ask your postmaster for help"), FROM(T_ONLINE)),

	/* Japanese carriers: few words, which elsewhere could mean anything. */
	ROW(MAILBOX_FULL, TEXT("too much mail data")), /* docomo */
	ROW(MAILBOX_FULL, TEXT("mailbox", "full"), FROM(DOCOMO)),
	ROW(RATE, CODE(4), TEXT("service not available"), FROM(DOCOMO)),
	ROW(RATE, CODE(4), TEXT("too many"), FROM(DOCOMO)),
	ROW(BAD_MAILBOX, CODE(550), TEXT("unknown user"), FROM(DOCOMO)),
	ROW(POLICY, CODE(5), TEXT("mail rejected"), FROM(DOCOMO)),
	ROW(POLICY, CODE(5), TEXT("refused"), FROM(DOCOMO)),
	ROW(MAILBOX_FULL, TEXT("mailbox", "exceed"), FROM(KDDI)),
	ROW(BAD_MAILBOX, CODE(554), TEXT("relay access denied"), FROM(KDDI)), /* no such form */
	ROW(BAD_MAILBOX, CODE(550), TEXT("user unknown"), FROM(KDDI)),
	ROW(RATE, CODE(4), TEXT("too many"), FROM(KDDI)),
	ROW(RATE, CODE(4), TEXT("congest"), FROM(KDDI)),
	ROW(POLICY, CODE(5), TEXT("filter"), FROM(KDDI)),
	ROW(POLICY, CODE(5), TEXT("refuse"), FROM(KDDI)),
	ROW(BAD_MAILBOX, CODE(550), TEXT("invalid recipient"), FROM(SOFTBANK)),
	ROW(DNS, CODE(553), TEXT("does not exist"), FROM(SOFTBANK)), /* the sender's domain */
	ROW(MAILBOX_FULL, TEXT("mailbox", "full"), FROM(SOFTBANK)),
	ROW(RATE, CODE(4), TEXT("too many"), FROM(SOFTBANK)),
	ROW(RATE, CODE(4), TEXT("busy"), FROM(SOFTBANK)),
	ROW(POLICY, CODE(5), TEXT("recipient", "refuse"), FROM(SOFTBANK)),
	ROW(POLICY, CODE(5), TEXT("reject", "recipient's setting"), FROM(SOFTBANK)),
	ROW(BAD_MAILBOX, CODE(550), TEXT("no such recipient"), FROM(RAKUTEN)),
	ROW(RATE, CODE(4), TEXT("too many"), FROM(RAKUTEN)),
	ROW(POLICY, CODE(5), TEXT("refuse"), FROM(RAKUTEN)),
	ROW(BAD_MAILBOX, CODE(550), TEXT("invalid recipient"), FROM(JAPAN_ISP)),
	ROW(BAD_MAILBOX, CODE(550), TEXT("can't accept user")),
	ROW(RATE, CODE(4), TEXT("too many"), FROM(JAPAN_ISP)),
	ROW(MAILBOX_FULL, TEXT("mail box", "full"), FROM(JAPAN_ISP)),
	ROW(CONTENT, CODE(5), TEXT("spam mail"), FROM(JAPAN_ISP)),
};

const struct smtp_class_table smtp_class_providers = { rows, array_count(rows) };
