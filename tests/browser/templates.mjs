// A template from one of ours: chosen, written with its look beside it, saved, compared, brought back.

export default async (tester) => {
	const { assert, url } = tester;
	const looks = [
		{ name: "desk-light-ja", language: "ja" },
		{ name: "phone-dark-en", language: "en", phone: true, dark: true },
	];

	for (const look of looks) {
		const page = await tester.open(look);
		const see = async (what) => {
			await tester.check(page, `${what} ${look.name}`);
			await tester.shot(page, `${what}-${look.name}`);
		};
		const frame = page.frameLocator("iframe[name=look]");

		await tester.signIn(page);
		await page.goto(`${url}/admin/templates/new`);
		for (const one of await page.locator("iframe.base-frame").all())
			await one.scrollIntoViewIfNeeded();
		await page.frameLocator("iframe.base-frame").last().locator("h1").waitFor();
		await see("template-new");
		const base = `/admin/templates/new?base=announcement&language=${look.language}`;
		await page.locator(`a[href="${base}"]`).click();
		// With script the look is there by itself, and follows what is written.
		await frame.locator("h1").waitFor();
		await page.fill("[name=name]", `News ${look.name}`);
		const html = await page.inputValue("[name=html]");
		await page.fill("[name=html]", html.replace(/<h1([^>]*)>[^<]*/, "<h1$1>A new headline"));
		await frame.getByText("A new headline").waitFor();
		await page.locator("#narrow").check();
		const box = await page.locator("iframe[name=look]").boundingBox();
		assert.ok(box.width <= 376, `${box.width}`);
		await see("template-edit");
		await page.locator("form button:not([formaction])", { hasText: /Save|保存/ }).click();
		await page.waitForURL(/\/admin\/templates\/\d+$/);
		const where = page.url();
		await page.frameLocator(".wide iframe").getByText("A new headline").waitFor();
		await see("template");

		await page.goto(`${where}/edit`);
		await page.fill("[name=html]", html.replace(/<h1([^>]*)>[^<]*/, "<h1$1>Another headline"));
		await page.locator("form button:not([formaction])", { hasText: /Save|保存/ }).click();
		await page.waitForURL(/\/admin\/templates\/\d+$/);
		await page.goto(`${where}/versions`);
		await see("template-versions");
		await page.goto(`${where}/versions/1`);
		assert.ok((await page.locator(".diff del").textContent()).includes("A new headline"));
		await page.frameLocator(".wide iframe").getByText("A new headline").waitFor();
		await see("template-version");
		await page.goto(`${url}/admin/templates`);
		await see("templates");
		await page.goto(`${url}/admin/campaigns/new?template=${where.split("/").pop()}`);
		assert.ok((await page.inputValue("[name=html]")).includes("Another headline"));
		await see("template-campaign");
		await page.context().close();
	}

	// Without script a button shows it in the same place.
	const page = await tester.open({ script: false });
	await tester.signIn(page);
	await page.goto(`${url}/admin/templates/new?base=receipt&language=en`);
	await page.locator("button[formaction]").click();
	const frame = page.frameLocator("iframe[name=look]");
	await frame.getByText("A-1001").first().waitFor();
	assert.ok(page.url().includes("/admin/templates/new"));
};
