// A marketer's first day, in Japanese: who sends, a list, the customers' file as Excel wrote it, a segment,
// a campaign, its preview, and off it goes. Pictures of it are the guide's (src/web/GUIDE.md).

const MAIL = `<h1>{{name|default:"お客様"}} 様</h1>
<p>{{#if amount >= 50000}}いつもご愛顧ありがとうございます。<b>先行販売</b>をご案内します。{{#else}}冬の新作が入荷しました。{{/if}}</p>
<p><a href="https://shop.example/winter">冬の新作を見る</a></p>
<p>株式会社飛脚堂<br>〒100-0001 東京都千代田区千代田1-1-1<br>お問い合わせ: https://shop.example/contact</p>
<p><a href="{{unsubscribe_url}}">配信停止</a> <a href="{{preferences_url}}">登録内容の変更</a></p>
`;

export default async (tester) => {
	const { assert, url } = tester;
	const page = await tester.open({ language: "ja" });
	const press = async (name) => {
		await page.getByRole("button", { name }).first().click();
		await page.waitForLoadState();
	};
	const look = async (what) => {
		await tester.check(page, what);
		await tester.shot(page, `day-${what}`);
	};

	await tester.signIn(page);
	await page.goto(`${url}/admin/settings`);
	await page.getByLabel("会社名または氏名").fill("株式会社飛脚堂");
	await page.getByLabel("住所").fill("〒100-0001 東京都千代田区千代田1-1-1");
	await page.getByLabel("苦情・問い合わせの受付先").fill("https://shop.example/contact");
	await press("保存");
	await page.goto(`${url}/admin/lists`);
	await page.fill("[name=title]", "メールマガジン");
	await page.fill("[name=name]", "news");
	await press("保存");

	await page.goto(`${url}/admin/imports`);
	await page.setInputFiles("input[type=file]", process.env.HIKYAKU_CUSTOMERS);
	await press("アップロード");
	// What the columns are has been found out: the address, text, a date, a number.
	assert.deepEqual(await page.locator("select[name^=t]").evaluateAll((all) =>
		all.map((one) => one.selectedOptions[0].textContent)), ["文字", "文字", "文字", "日付", "数値"]);
	for (const [i, name] of ["name", "prefecture", "birthday", "amount"].entries())
		await page.fill(`[name=n${i + 1}]`, name);
	await page.fill("[name=source]", "店頭アンケート");
	await page.fill("[name=date]", "2026-11-01");
	await page.locator("[name=lists]").check();
	await look("import");
	await press(/テストする/);
	await page.getByText("まだ何も変更していません").waitFor();
	await press("取り込みを実行");
	await page.getByText("完了").first().waitFor();
	await look("imported");
	await page.goto(`${url}/admin/contacts`);
	await page.getByRole("link", { name: '"a..b"@docomo.ne.jp' }).click();
	await look("contact");

	await page.goto(`${url}/admin/segments/new`);
	await page.fill("[name=name]", "東京の優良顧客");
	await press(/テキストで編集/);
	await page.locator("textarea").first().fill('prefecture = "東京都" and amount >= 50000');
	await press("人数を確認");
	await page.getByText("該当する連絡先").waitFor();
	await look("segment");
	await press("保存");

	await page.goto(`${url}/admin/campaigns/new`);
	await page.fill("[name=name]", "12月号");
	await page.fill("[name=from]", "飛脚堂 <shop@courier.example>");
	await page.fill("[name=subject]", '{{name|default:"お客様"}}様へ 冬の新作のご案内');
	await page.fill("[name=preheader]", "今年いちばんの新作が届きました");
	await page.fill("[name=html]", MAIL);
	await page.locator("[name=list]").selectOption({ label: "メールマガジン" });
	await look("campaign");
	await press("保存");
	await page.getByRole("link", { name: /プレビュー/ }).click();
	await page.getByText("問題は見つかりませんでした").waitFor();
	await page.frameLocator("figure.narrow iframe").getByText("冬の新作を見る").waitFor();
	await look("preview");
	await page.goto(`${url}/admin/campaigns`);
	await page.getByRole("link", { name: "12月号" }).click();
	await press("今すぐ配信");
};
