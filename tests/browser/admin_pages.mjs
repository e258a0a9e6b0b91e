// Pages of administration that have something to show: axe, no sideways scrolling, and what one does there.

export default async (tester) => {
	const { assert, url } = tester;
	const looks = [
		{ name: "desk-light-en", language: "en" },
		{ name: "phone-dark-ja", language: "ja", phone: true, dark: true },
	];

	for (const look of looks) {
		const page = await tester.open(look);
		await tester.signIn(page);
		await page.goto(`${url}/admin/deliverability`);
		await page.locator("[data-chart] canvas").waitFor();
		await tester.check(page, `deliverability ${look.name}`);
		await tester.shot(page, `deliverability-${look.name}`);
		const receiver = page.locator("td a[href*='receiver=']").first();
		await receiver.click();
		await page.waitForURL(/receiver=1/);
		await tester.check(page, `one receiver ${look.name}`);

		await page.goto(`${url}/admin/suppressions`);
		await tester.check(page, `suppressions ${look.name}`);
		await tester.shot(page, `suppressions-${look.name}`);
		await page.locator("nav.pager a").click();
		await page.waitForURL(/after=/);
		assert.equal(await page.locator("nav.pager a").count(), 0);
		await page.locator("td a").first().click();
		await page.waitForURL(/suppressions\/.*%40/);
		await tester.check(page, `a suppressed address ${look.name}`);
		await tester.shot(page, `suppressed-${look.name}`);

		// Asked anew, and looked at until it is there; then it stays as it is.
		await page.goto(`${url}/admin/dns`);
		await page.locator("main form button").first().click();
		await page.waitForURL(/asked=/);
		await page.locator("h3 + p time").first().waitFor({ timeout: 60000 });
		await page.locator("main form button").first().waitFor({ timeout: 60000 });
		await tester.check(page, `dns ${look.name}`);
		await tester.shot(page, `dns-${look.name}`);

		await page.goto(`${url}/admin`);
		await tester.check(page, `dashboard ${look.name}`);
		await tester.shot(page, `dashboard-dns-${look.name}`);
		await page.context().close();
	}

	// The zone is found by typing its city, without script.
	const page = await tester.open({ script: false });
	await tester.signIn(page);
	await page.goto(`${url}/admin/settings`);
	const zone = page.locator("[name=zone]");
	assert.equal(await zone.inputValue(), "Asia/Tokyo");
	await zone.focus();
	await page.keyboard.type("Lisb");
	assert.equal(await zone.inputValue(), "Europe/Lisbon");
	await page.getByRole("button", { name: "Save" }).click();
	assert.equal(await page.locator("[name=zone]").inputValue(), "Europe/Lisbon");
	await tester.shot(page, "settings-zone");
};
