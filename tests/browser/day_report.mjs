// The marketer's evening: what became of the campaign; and the reader's page on which one leaves.

import { words } from "./day_words.mjs";

export default async (tester) => {
	const { assert, url } = tester;
	const say = words();
	const page = await tester.open({ language: say.language });

	await tester.signIn(page);
	await page.goto(`${url}/admin/campaigns`);
	await page.getByRole("link", { name: say.campaign }).click();
	await page.getByText(say.done).first().waitFor();
	const tile = async (label) => (await page.locator(".tiles > *").filter({ hasText: label }).innerText())
		.split("\n").map((line) => line.trim()).filter(Boolean)[1].split(" ")[0];
	assert.equal(await tile(say.recipients), process.env.HIKYAKU_SENT);
	assert.equal(await tile(say.bounced), process.env.HIKYAKU_BOUNCED);
	assert.equal(await tile(say.opened), process.env.HIKYAKU_OPENED);
	assert.equal(await tile(say.clicked), process.env.HIKYAKU_CLICKED);
	assert.equal(await tile(say.left), "1");
	await page.getByRole("cell", { name: say.noMailbox }).waitFor();
	await page.getByRole("cell", { name: "https://shop.example/winter" }).waitFor();
	await tester.check(page, "report");
	await tester.shot(page, `day-report${say.suffix}`);

	const reader = await tester.open({ language: say.language, phone: true, script: false });
	await reader.goto(process.env.HIKYAKU_LEAVE);
	await tester.shot(reader, `day-unsubscribe${say.suffix}`);
	assert.equal(await reader.locator("html").getAttribute("lang"), say.language);

	// Another one rather chooses what she gets.
	await reader.goto(process.env.HIKYAKU_CHOOSE);
	await reader.locator("input[type=checkbox][name=list]").first().uncheck();
	await reader.getByRole("button", { name: say.savePreferences, exact: true }).first().click();
	await reader.getByText(say.saved).first().waitFor();
	await tester.shot(reader, `day-preferences${say.suffix}`);
};
