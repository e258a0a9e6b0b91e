// A campaign with two subjects and no imprint: refused with what to mend and to publish, sent all the same, and
// its report; with axe, in both languages, light and dark, on desk and phone.

export default async (tester) => {
	const { assert, url } = tester;
	const looks = [
		{ name: "desk-dark-en", language: "en", dark: true },
		{ name: "phone-light-ja", language: "ja", phone: true },
	];
	const pages = [];
	for (const look of looks) {
		const page = await tester.open(look);
		await tester.signIn(page);
		pages.push([look.name, page]);
	}
	const everywhere = async (what, path, before = async () => {}) => {
		for (const [name, page] of pages) {
			await page.goto(`${url}${path}`);
			await before(page);
			await tester.check(page, `${what} ${name}`);
			await tester.shot(page, `campaign-${what}-${name}`);
		}
	};
	const [, desk] = pages[0];
	const order = (page, verb) => page.locator(`form[action$="/${verb}"] button`).first().click();

	tester.expect("422");
	await desk.goto(`${url}/admin/campaigns/new`);
	await desk.fill("[name=name]", "冬のご案内");
	await desk.fill("[name=from]", "Shop <shop@courier.example>");
	await desk.fill("[name=subject]", "Winter is here");
	await desk.fill("[name=subject_b]", "冬がやってきました");
	await desk.fill("[name=ab_share]", "100");
	await desk.fill("[name=text]", "Hello");
	// The browser's own field, by the clock of the zone beside it.
	assert.equal(await desk.getAttribute("[name=at]", "type"), "datetime-local");
	assert.equal(await desk.inputValue("[name=zone]"), "Asia/Tokyo");
	await desk.fill("[name=at]", "2099-01-01T09:00");
	await desk.fill("[name=deadline]", "2098-01-01T09:00");
	await desk.locator("form[action='/admin/campaigns'] button").last().click();
	await desk.waitForURL(/campaigns\/\d+$/);
	const path = new URL(desk.url()).pathname;
	assert.ok((await desk.textContent("main")).includes("2099-01-01 09:00 Asia/Tokyo"));
	// What does not fit together is told at its field.
	await order(desk, "schedule");
	await desk.locator("[name=deadline][aria-invalid=true]").waitFor();
	await tester.check(desk, "editor");
	await tester.shot(desk, "campaign-wrong-desk-dark-en");
	await desk.fill("[name=at]", "");
	await desk.fill("[name=deadline]", "");
	await desk.locator(`form[action="${path}"] button`).last().click();
	await desk.waitForURL(new RegExp(`${path}$`));

	await everywhere("edit", `${path}/edit`);
	await everywhere("stopped", path, async (page) => {
		await order(page, "schedule");
		await page.locator("[name=override]").first().waitFor();
	});
	assert.equal(await desk.locator("[name=override]").count(), 2);
	assert.ok((await desk.textContent("main")).includes("v=spf1 ip4:127.0.0.1 -all"));
	for (const box of await desk.locator("[name=override]").all())
		await box.check();
	await desk.locator("form:has([name=override]) button").last().click();
	await desk.waitForURL(new RegExp(`${path}$`));
	await desk.locator(".tiles").waitFor();
	await everywhere("report", path);
	await everywhere("segment", `${path}/segments?segment=1`);
	for (const [, page] of pages)
		await page.context().close();
};
