#include "message/notice_words.h"

const struct notice_phrases notice_phrases[NOTICE_TONGUES] = {
	[NOTICE_EN] = {
		.subject = { "Not delivered", "Still on its way", "Delivered", "Handed on",
			     "Handed to a list" },
		.opening = { "Your message could not be delivered to this recipient:",
			     "Your message has not been delivered to this recipient yet:",
			     "Your message was delivered to this recipient:",
			     "Your message was handed to the mail server of this recipient:",
			     "Your message was handed to the members of this list:" },
		.expired = "It was tried again and again until its time was over.",
		.host_said = "The mail server %s said:",
		.reason = "The reason:",
		.until = "We go on trying until %s.",
		.do_nothing = "You need not do anything, and need not send it again. You will hear "
			      "from us if it cannot be delivered.",
		.no_more = "We will hear nothing more of it: that server sends no confirmations.",
		.your_message = "Your message",
		.subject_name = "Subject",
		.accepted_name = "Accepted",
		.attached_all = "The message is attached.",
		.attached_header = "The header of the message is attached.",
		.ending = "This notice was made by the mail system at %s. Please do not answer it.",
	},
	[NOTICE_JA] = {
		.subject = { "メールを配信できませんでした", "メールの配信が遅れています",
			     "メールを配信しました", "メールを引き渡しました",
			     "メールをリストに引き渡しました" },
		.opening = { "次の宛先にメールを配信できませんでした。",
			     "次の宛先にまだメールを配信できていません。",
			     "次の宛先にメールを配信しました。",
			     "次の宛先のメールサーバーにメールを引き渡しました。",
			     "次のリストの参加者にメールを引き渡しました。" },
		.expired = "繰り返し配信を試みましたが、期限までに届きませんでした。",
		.host_said = "相手のメールサーバー %s からの応答:",
		.reason = "理由:",
		.until = "%s まで配信を続けます。",
		.do_nothing = "何もしていただく必要はありません。再送も不要です。"
			      "配信できなかった場合は、あらためてお知らせします。",
		.no_more = "相手のサーバーは配信確認を送らないため、これ以降の状況は分かりません。",
		.your_message = "お送りになったメール",
		.subject_name = "件名",
		.accepted_name = "受付日時",
		.attached_all = "元のメールを添付します。",
		.attached_header = "元のメールのヘッダーを添付します。",
		.ending = "この通知は %s のメールシステムが自動的に作成しました。"
			  "返信はなさらないでください。",
	},
};

/* What is not named here is like what is not known. */
static const struct notice_advice advice[][NOTICE_TONGUES] = {
	[SMTP_CLASS_UNKNOWN] = {
		{ "The recipient's mail server did not take it.",
		  "Read what the server says below. If that does not help, ask the recipient by "
		  "another way, or show this notice to whoever runs your mail." },
		{ "相手のメールサーバーがメールを受け取りませんでした。",
		  "下にある相手サーバーの応答をご確認ください。分からない場合は、別の方法で相手の方に"
		  "お問い合わせいただくか、メールの管理者にこの通知をお見せください。" },
	},
	[SMTP_CLASS_BAD_MAILBOX] = {
		{ "There is no such mail address.",
		  "Check the address for typing errors. If it is right, the mailbox was closed: "
		  "ask "
		  "the recipient for the new address." },
		{ "このメールアドレスは存在しません。",
		  "アドレスに入力の誤りがないかご確認ください。正しい場合は、アドレスが廃止されています。"
		  "新しいアドレスを相手の方にお問い合わせください。" },
	},
	[SMTP_CLASS_MAILBOX_FULL] = {
		{ "The recipient's mailbox is full.",
		  "Tell the recipient by another way, and send the message again later." },
		{ "相手のメールボックスがいっぱいです。",
		  "別の方法で相手の方にお知らせのうえ、後ほど送り直してください。" },
	},
	[SMTP_CLASS_POLICY] = {
		{ "A rule of the recipient's mail server does not allow it.",
		  "The recipient may have to allow mail from your address: ask by another way. A "
		  "mobile phone may be set to take mail from known domains only." },
		{ "相手のメールサーバーの規則により受け取りが拒否されました。",
		  "相手の方の受信設定 (携帯電話のドメイン指定受信など) により拒否されている可能性があります。"
		  "別の方法でお問い合わせください。" },
	},
	[SMTP_CLASS_CONTENT] = {
		{ "The recipient's mail server does not like what the message contains: it may be "
		  "too large, or look like unwanted mail.",
		  "Send large attachments by another way, leave out suspicious links and files, "
		  "and "
		  "try again." },
		{ "メールの内容が原因で拒否されました (大きすぎる、迷惑メールと判断された、など)。",
		  "大きな添付ファイルは別の方法で送り、不審に見えるリンクやファイルを除いて送り直してください。" },
	},
	[SMTP_CLASS_REPUTATION] = {
		{ "The recipient's mail server does not trust our server at the moment.",
		  "This is not about the recipient's address. Show this notice to whoever runs "
		  "your "
		  "mail, and send the message again later." },
		{ "相手のメールサーバーが、現在こちらのサーバーからのメールを拒否しています。",
		  "宛先の誤りではありません。メールの管理者にこの通知をお見せのうえ、後ほど送り直してください。" },
	},
	[SMTP_CLASS_RATE] = {
		{ "The recipient's mail server takes no more mail from us at the moment.",
		  "This is not about the recipient's address. Send the message again later." },
		{ "相手のメールサーバーが、現在これ以上のメールを受け取りません。",
		  "宛先の誤りではありません。後ほど送り直してください。" },
	},
	[SMTP_CLASS_AUTH_FAILURE] = {
		{ "The recipient's mail server could not verify that the message is from your "
		  "domain.",
		  "This is not about the recipient's address. Show this notice to whoever runs "
		  "your "
		  "mail: SPF, DKIM or DMARC has to be looked at." },
		{ "相手のメールサーバーが、送信元ドメインを確認 (認証) できませんでした。",
		  "宛先の誤りではありません。メールの管理者にこの通知をお見せください "
		  "(SPF、DKIM、DMARC の確認が必要です)。" },
	},
	[SMTP_CLASS_DNS] = {
		{ "The domain of the address takes no mail, or could not be found.",
		  "Check what stands behind the @ for typing errors." },
		{ "宛先のドメインが見つからないか、メールを受け付けていません。",
		  "@ の後ろに入力の誤りがないかご確認ください。" },
	},
	[SMTP_CLASS_GREYLISTED] = {
		{ "The recipient's mail server lets new senders wait.",
		  "Send the message again later." },
		{ "相手のメールサーバーが、初めての送信元からのメールの受け取りを遅らせています。",
		  "後ほど送り直してください。" },
	},
	[SMTP_CLASS_TRANSIENT_HOST] = {
		{ "The recipient's mail server could not be reached, or has trouble of its own.",
		  "Send the message again later. If it is urgent, tell the recipient by another "
		  "way." },
		{ "相手のメールサーバーに接続できないか、サーバーに障害が起きています。",
		  "後ほど送り直してください。お急ぎの場合は、別の方法でご連絡ください。" },
	},
	[SMTP_CLASS_PROTOCOL] = {
		{ "The recipient's mail server did not understand ours.",
		  "Show this notice to whoever runs your mail." },
		{ "相手のメールサーバーとの通信が正しく行えませんでした。",
		  "メールの管理者にこの通知をお見せください。" },
	},
};
_Static_assert(sizeof(advice) / sizeof(advice[0]) == SMTP_CLASS_COUNT, "an advice for each class");

const struct notice_advice *notice_advice_of(enum smtp_class class, enum notice_tongue tongue)
{
	if (class <= SMTP_CLASS_NONE || class >= SMTP_CLASS_COUNT)
		class = SMTP_CLASS_UNKNOWN;
	return &advice[class][tongue];
}
