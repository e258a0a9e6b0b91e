// What a marketer reads and writes on the day of day_send.mjs and day_report.mjs, in each language.

const japanese = {
	suffix: "",
	company: "会社名または氏名", address: "住所", complaints: "苦情・問い合わせの受付先", save: "保存",
	sender: { name: "株式会社飛脚堂", address: "〒100-0001 東京都千代田区千代田1-1-1" },
	list: "メールマガジン", upload: "アップロード", types: ["文字", "文字", "文字", "日付", "数値"],
	columns: ["name", "prefecture", "birthday", "amount"], source: "店頭アンケート",
	tryIt: /テストする/, nothingYet: "まだ何も変更していません", carryOut: "取り込みを実行", done: "完了",
	segment: "東京の優良顧客", asText: /テキストで編集/, condition: 'prefecture = "東京都" and amount >= 50000',
	count: "人数を確認", counted: "該当する連絡先",
	campaign: "12月号", from: "飛脚堂 <shop@courier.example>",
	subject: '{{name|default:"お客様"}}様へ 冬の新作のご案内', preheader: "今年いちばんの新作が届きました",
	mail: `<h1>{{name|default:"お客様"}} 様</h1>
<p>{{#if amount >= 50000}}いつもご愛顧ありがとうございます。<b>先行販売</b>をご案内します。{{#else}}冬の新作が入荷しました。{{/if}}</p>
<p><a href="https://shop.example/winter">冬の新作を見る</a></p>
<p>株式会社飛脚堂<br>〒100-0001 東京都千代田区千代田1-1-1<br>お問い合わせ: https://shop.example/contact</p>
<p><a href="{{unsubscribe_url}}">配信停止</a> <a href="{{preferences_url}}">登録内容の変更</a></p>
`,
	preview: /プレビュー/, noProblem: "問題は見つかりませんでした", linkText: "冬の新作を見る", sendNow: "今すぐ配信",
	recipients: "宛先", bounced: "不達", opened: "開封", clicked: "クリック", left: "配信停止",
	noMailbox: "宛先が存在しない", savePreferences: "保存する", saved: "保存しました",
	atItsTime: "予約する", scheduled: "予約中",
};

const english = {
	suffix: "-en",
	company: "Company or name", address: "Postal address", complaints: "Where complaints and questions go",
	save: "Save",
	sender: { name: "Courier Shop Ltd", address: "1 Harbour Street, London E1 6AN" },
	list: "Monthly letter", upload: "Upload", types: ["Text", "Text", "Text", "Date", "Number"],
	columns: ["name", "city", "birthday", "amount"], source: "shop counter",
	tryIt: /Try it/, nothingYet: "nothing is changed yet", carryOut: "Carry it out", done: /^done$/i,
	segment: "Good customers in London", asText: /Write it as text/, condition: 'city = "London" and amount >= 50000',
	count: "Count", counted: "Contacts:",
	campaign: "December", from: "Courier Shop <shop@courier.example>",
	subject: 'For {{name|default:"you"}}: the winter collection', preheader: "The warmest of the year has arrived",
	mail: `<h1>Dear {{name|default:"customer"}}</h1>
<p>{{#if amount >= 50000}}Thank you for being with us: the <b>early sale</b> is for you.{{#else}}Winter has arrived.{{/if}}</p>
<p><a href="https://shop.example/winter">See the collection</a></p>
<p>Courier Shop Ltd<br>1 Harbour Street, London E1 6AN<br>Questions: https://shop.example/contact</p>
<p><a href="{{unsubscribe_url}}">Unsubscribe</a> <a href="{{preferences_url}}">What you get from us</a></p>
`,
	preview: /Preview/, noProblem: "Nothing was found that is to be mended", linkText: "See the collection",
	sendNow: "Send now",
	recipients: "Recipients", bounced: "Bounced", opened: "Opened", clicked: "Clicked", left: "Unsubscribed",
	noMailbox: "No such mailbox", savePreferences: "Save", saved: "It is saved",
	atItsTime: "Send at its time", scheduled: "scheduled",
};

export function words() {
	const language = process.env.HIKYAKU_LANGUAGE;
	return { language, ...(language === "ja" ? japanese : english) };
}
