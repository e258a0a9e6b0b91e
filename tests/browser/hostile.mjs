// Pages full of text that mean people wrote: no script of it runs, no dialog opens, and none of it is an element.

export default async (tester) => {
	const { assert, url } = tester;
	const mark = process.env.HIKYAKU_MARK;
	const ran = [];
	const page = await tester.open();
	// What a page's policy does not let in is said by the console, which fails the scenario by itself.
	tester.expect("the server responded with a status of");
	// An author's own markup may try; its frame is a sandbox.
	tester.expect("because the document's frame is sandboxed");
	await page.context().exposeFunction(mark, () => ran.push(page.url()));
	page.on("dialog", async (dialog) => {
		ran.push(dialog.message());
		await dialog.dismiss();
	});

	await tester.signIn(page);
	for (const path of JSON.parse(process.env.HIKYAKU_PATHS)) {
		const answer = await page.goto(`${url}${path}`);
		if (answer.headers()["content-security-policy"].startsWith("sandbox"))
			continue;
		const found = await page.evaluate((name) =>
			[...document.querySelectorAll("*")].filter((one) => one.localName.includes(name)
				|| [...one.attributes].some((at) => at.name.startsWith("on") || at.name.includes(name)))
				.map((one) => one.outerHTML.slice(0, 200)), mark);
		assert.deepEqual(found, [], path);
		// As a mouse that wanders over all of it.
		await page.evaluate(() => {
			for (const one of document.querySelectorAll("main *"))
				one.dispatchEvent(new MouseEvent("mouseover", { bubbles: false }));
		});
	}
	assert.deepEqual(ran, []);
};
