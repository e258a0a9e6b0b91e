// A sequence is made step by step without script; what is wrong is told at its field.

const FOOT = "<p><a href='{{unsubscribe_url}}'>leave</a></p><p>{{>sender}}</p>";

export default async (tester) => {
	const { assert, url } = tester;
	const page = await tester.open({ script: false });

	await tester.signIn(page);
	await page.goto(`${url}/admin/sequences`);
	await tester.shot(page, "sequences-none");
	await page.getByRole("link", { name: "New sequence" }).click();
	await page.fill("[name=name]", "ようこそ Welcome <b>");
	await page.selectOption("[name=start]", "list");
	await page.selectOption("[name=list]", "1");
	await page.fill("[name=from]", "Shop <shop@courier.example>");
	await page.fill("[name=hours]", "nine to five");
	tester.expect("422");
	await page.getByRole("button", { name: "Save" }).click();
	assert.equal(await page.locator("[name=hours][aria-invalid=true]").count(), 1);
	assert.equal(await page.inputValue("[name=name]"), "ようこそ Welcome <b>");
	await tester.shot(page, "sequences-wrong");
	await page.fill("[name=hours]", "");
	await page.selectOption("[name=exit_segment]", "1");
	await page.getByRole("button", { name: "Save" }).click();
	await page.waitForURL(/sequences\/1$/);

	const steps = [
		{ subject: "ようこそ {{email}}", wait_days: "1" },
		{ subject: "Three days later", wait_days: "3", at: "09:00", weekdays: "mon-fri" },
		{ subject: "To be deleted", wait_days: "5" },
	];
	for (const step of steps) {
		await page.getByRole("link", { name: "Add a step" }).click();
		for (const [name, value] of Object.entries(step))
			await page.fill(`[name=${name}]`, value);
		await page.fill("[name=html]", `<p>Hello, {{nobody}}</p>${FOOT}`);
		await page.getByRole("button", { name: "Save" }).click();
		await page.waitForURL(/sequences\/1$/);
	}
	// It does not start as it is, and says where.
	await page.getByRole("button", { name: "Start" }).click();
	assert.ok((await page.textContent("main")).includes("nobody"));
	await tester.shot(page, "sequences-cannot-start");
	await page.goto(`${url}/admin/sequences/1`);
	for (const subject of steps.map((one) => one.subject)) {
		await page.getByRole("link", { name: subject }).click();
		await page.fill("[name=html]", `<p>Hello</p>${FOOT}`);
		await page.getByRole("button", { name: "Save" }).click();
		await page.waitForURL(/sequences\/1$/);
	}
	await page.locator("summary", { hasText: "Change the order" }).nth(2).click();
	await page.getByRole("button", { name: "Delete the step" }).click();
	await page.waitForURL(/sequences\/1$/);
	await page.getByRole("button", { name: "Start" }).click();
	// This server has no name that a link to leave could have: it says so of each step, and she knows.
	await page.getByText("no List-Unsubscribe").first().waitFor();
	assert.equal(await page.getByText("no List-Unsubscribe").count(), 2);
	assert.equal(await page.textContent("h1"), "ようこそ Welcome <b>");
	await tester.shot(page, "sequences-stopped");
	await page.getByRole("button", { name: "Start all the same" }).click();
	await page.waitForURL(/sequences\/1$/);
	assert.ok((await page.textContent("main")).includes("running"));
	assert.ok(!(await page.textContent("main")).includes("To be deleted"));
};
