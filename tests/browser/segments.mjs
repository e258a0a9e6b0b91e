// A segment written in rows without script, then looked at: with axe, in both languages, on desk and phone.

export default async (tester) => {
	const { assert, url } = tester;
	const page = await tester.open({ script: false });
	const press = (button) => page.locator(`button[value="${button}"]`).click();

	await tester.signIn(page);
	await page.goto(`${url}/admin/segments/new`);
	for (const what of ["state", "opened", "created", "clicked"]) {
		await page.selectOption("[name=add]", what);
		await press("add");
	}
	await press("remove.3");
	await page.fill("[name=name]", "読者 Readers");
	await page.selectOption("[name='value.0']", "active");
	await page.selectOption("[name='op.1']", "within");
	await page.fill("[name='value.1']", "soon");
	await page.selectOption("[name='op.2']", "<");
	await page.fill("[name='value.2']", "2026-01-01");
	tester.expect("422");
	// Enter counts; it keeps nothing.
	await page.press("[name='value.2']", "Enter");
	await page.waitForLoadState();
	assert.equal(await page.locator("[name='value.1'][aria-invalid=true]").count(), 1);
	await tester.shot(page, "segment-row-wrong");
	await page.fill("[name='value.1']", "30");
	await press("count");
	await tester.shot(page, "segment-rows");
	await press("save");
	await page.waitForURL(/segments\/1$/);
	assert.ok((await page.textContent("main")).includes("opened within 30 days"));
	await page.context().close();

	// With script the number follows what is written.
	const live = await tester.open();
	await tester.signIn(live);
	await live.goto(`${url}/admin/segments/1/edit`);
	await live.fill("[name='value.1']", "31");
	await live.locator("[data-live] strong", { hasText: /^0$/ }).waitFor();
	await live.fill("[name='value.1']", "soon");
	await live.locator("[data-live] strong").waitFor({ state: "detached" });
	assert.equal(await live.inputValue("[name='value.1']"), "soon");
	await live.context().close();

	for (const { paths, ...look } of [
		{ name: "light", language: "en", paths: ["", "/new", "/1?who=7"] },
		{ name: "dark-ja", language: "ja", dark: true, paths: ["/1/edit"] },
		{ name: "phone-ja", language: "ja", phone: true, paths: ["/1", "/1/edit"] },
	]) {
		const other = await tester.open(look);
		await tester.signIn(other);
		for (const path of paths) {
			await other.goto(`${url}/admin/segments${path}`);
			await tester.check(other, `segments${path} ${look.name}`);
			await tester.shot(other, `segments${path.replaceAll(/\W/g, "-")}-${look.name}`);
		}
		await other.context().close();
	}
};
