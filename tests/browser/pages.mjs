// Each page of the menu: axe, no sideways scrolling; light and dark, both languages, desk and phone.

export default async (tester) => {
	const { assert, url } = tester;
	const looks = [
		{ name: "desk-dark-en", language: "en", dark: true },
		{ name: "phone-light-ja", language: "ja", phone: true },
	];

	for (const look of looks) {
		const page = await tester.open(look);
		await tester.signIn(page);
		const paths = await page.locator(".menu a").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
		assert.ok(paths.length >= 7);
		for (const path of [...paths, "/admin/account/codes", "/admin/contacts/export"]) {
			await page.goto(`${url}${path}`);
			assert.equal(await page.locator("html").getAttribute("lang"), look.language);
			await tester.check(page, `${path} ${look.name}`);
			await tester.shot(page, `page${path.slice("/admin".length).replaceAll("/", "-")}-${look.name}`);
		}
		await page.context().close();
	}

	const page = await tester.open();
	await tester.signIn(page);
	// The switch outlives the page, and goes before what the device says.
	await page.getByText("Appearance").click();
	await page.getByRole("button", { name: "Dark" }).click();
	const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const dark = await ground();
	await page.goto(`${url}/admin/settings`);
	assert.equal(await ground(), dark);
	await page.getByText("Appearance").click();
	await page.getByRole("button", { name: "日本語" }).click();
	await page.waitForFunction(() => document.documentElement.lang === "ja");
	assert.equal(new URL(page.url()).pathname, "/admin/settings");

	// A chart is drawn from the table beside it.
	await page.goto(`${url}/admin`);
	await page.evaluate(() => {
		const body = document.querySelector(".drawing tbody");
		const row = body.rows[0];
		for (let i = 1; i <= 60; i++) {
			const copy = row.cloneNode(true);
			copy.querySelector("time").dateTime = new Date(Date.now() - i * 300000).toISOString();
			copy.cells[1].textContent = (1000 + 40 * (i % 7)).toLocaleString("en");
			copy.cells[2].textContent = i % 5;
			body.prepend(copy);
		}
		drawCharts();
	});
	await page.locator("[data-chart] canvas").waitFor();
	await tester.check(page, "chart");
	await tester.shot(page, "chart");

	// What is copied is the record.
	await page.goto(`${url}/admin/dns`);
	const first = page.locator(".copy").nth(1);
	await first.getByRole("button").click();
	assert.equal(await page.evaluate(() => navigator.clipboard.readText()),
		await first.locator("code").textContent());

	// By the keyboard: the first stop leads to the content.
	await page.goto(`${url}/admin/settings`);
	await page.keyboard.press("Tab");
	await page.keyboard.press("Enter");
	assert.equal(await page.evaluate(() => document.activeElement.id), "main");
};
