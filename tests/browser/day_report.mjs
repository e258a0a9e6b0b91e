// The marketer's evening: what became of the campaign; and the reader's page on which one leaves.

export default async (tester) => {
	const { assert, url } = tester;
	const page = await tester.open({ language: "ja" });

	await tester.signIn(page);
	await page.goto(`${url}/admin/campaigns`);
	await page.getByRole("link", { name: "12月号" }).click();
	await page.getByText("完了").first().waitFor();
	const tile = async (label) => (await page.locator(".tiles > *").filter({ hasText: label }).innerText())
		.split("\n").map((line) => line.trim()).filter(Boolean)[1].split(" ")[0];
	assert.equal(await tile("宛先"), process.env.HIKYAKU_SENT);
	assert.equal(await tile("不達"), process.env.HIKYAKU_BOUNCED);
	assert.equal(await tile("開封"), process.env.HIKYAKU_OPENED);
	assert.equal(await tile("クリック"), process.env.HIKYAKU_CLICKED);
	assert.equal(await tile("配信停止"), "1");
	await page.getByRole("cell", { name: "宛先が存在しない" }).waitFor();
	await page.getByRole("cell", { name: "https://shop.example/winter" }).waitFor();
	await tester.check(page, "report");
	await tester.shot(page, "day-report");

	const reader = await tester.open({ language: "ja", phone: true, script: false });
	await reader.goto(process.env.HIKYAKU_LEAVE);
	await tester.shot(reader, "day-unsubscribe");
	assert.equal(await reader.locator("html").getAttribute("lang"), "ja");
};
