// A sequence that runs: who is where, what became of its steps; with axe, both languages, desk and phone.

export default async (tester) => {
	const { assert, url } = tester;
	const page = await tester.open();

	await tester.signIn(page);
	await page.goto(`${url}/admin/sequences/1/contacts`);
	for (let i = 0; i < 50 && (await page.getByText("ようこそ {{email}}").count()) < 2; i++) {
		await page.waitForTimeout(200);
		await page.reload();
	}
	await tester.shot(page, "sequences-contacts");
	assert.equal(await page.getByText("ようこそ {{email}}").count(), 2);
	assert.ok((await page.textContent("main")).includes("left")); // who has bought
	await page.getByRole("button", { name: "Take out" }).first().click();
	await page.waitForURL(/contacts$/);
	assert.equal(await page.getByText("ようこそ {{email}}").count(), 1);
	await page.goto(`${url}/admin/contacts/1`);
	assert.ok((await page.textContent("main")).includes("Welcome"));
	await tester.shot(page, "contact-sequences");
	await tester.check(page, "a contact in a sequence");
	await page.context().close();

	for (const { paths, ...look } of [
		{ name: "light", language: "en", paths: ["", "/new", "/1", "/1/contacts", "/1/edit", "/1/steps/new"] },
		{ name: "dark-ja", language: "ja", dark: true, paths: ["", "/1", "/1/steps/1"] },
		{ name: "phone-ja", language: "ja", phone: true, paths: ["/1", "/1/contacts", "/1/edit", "/1/steps/1"] },
	]) {
		const other = await tester.open(look);
		await tester.signIn(other);
		for (const path of paths) {
			await other.goto(`${url}/admin/sequences${path}`);
			await tester.check(other, `sequences${path} ${look.name}`);
			await tester.shot(other, `sequences${path.replaceAll(/\W/g, "-")}-${look.name}`);
		}
		await other.context().close();
	}
};
