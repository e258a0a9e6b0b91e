// A marketer's first day, in the language of HIKYAKU_LANGUAGE: who sends, a list, the customers' file as a
// spreadsheet wrote it, a segment, a campaign, its preview, and off it goes. Pictures of it are the guide's
// (src/web/GUIDE.md).

import { words } from "./day_words.mjs";

export default async (tester) => {
	const { assert, url } = tester;
	const say = words();
	const page = await tester.open({ language: say.language });
	const press = async (name) => {
		await page.getByRole("button", { name }).first().click();
		await page.waitForLoadState();
	};
	const look = async (what) => {
		await tester.check(page, what);
		await tester.shot(page, `day-${what}${say.suffix}`);
	};

	await tester.signIn(page);
	await page.goto(`${url}/admin/settings`);
	await page.getByLabel(say.company).fill(say.sender.name);
	await page.getByLabel(say.address).fill(say.sender.address);
	await page.getByLabel(say.complaints).fill("https://shop.example/contact");
	await press(say.save);
	await page.goto(`${url}/admin/lists`);
	await page.fill("[name=title]", say.list);
	await page.fill("[name=name]", "news");
	await page.locator("[name=public]").check();
	await press(say.save);

	await page.goto(`${url}/admin/imports`);
	await page.setInputFiles("input[type=file]", process.env.HIKYAKU_CUSTOMERS);
	await press(say.upload);
	// What the columns are has been found out: the address, text, a date, a number.
	assert.deepEqual(await page.locator("select[name^=t]").evaluateAll((all) =>
		all.map((one) => one.selectedOptions[0].textContent)), say.types);
	for (const [i, name] of say.columns.entries())
		await page.fill(`[name=n${i + 1}]`, name);
	await page.fill("[name=source]", say.source);
	await page.fill("[name=date]", "2026-11-01");
	await page.locator("[name=lists]").check();
	await look("import");
	await press(say.tryIt);
	await page.getByText(say.nothingYet).waitFor();
	await press(say.carryOut);
	await page.getByText(say.done).first().waitFor();
	await look("imported");
	await page.goto(`${url}/admin/contacts`);
	await page.getByRole("link", { name: '"a..b"@docomo.ne.jp' }).click();
	await look("contact");

	await page.goto(`${url}/admin/segments/new`);
	await page.fill("[name=name]", say.segment);
	await press(say.asText);
	await page.locator("textarea").first().fill(say.condition);
	await press(say.count);
	await page.getByText(say.counted).waitFor();
	await look("segment");
	await press(say.save);

	await page.goto(`${url}/admin/campaigns/new`);
	await page.fill("[name=name]", say.campaign);
	await page.fill("[name=from]", say.from);
	await page.fill("[name=subject]", say.subject);
	await page.fill("[name=preheader]", say.preheader);
	await page.fill("[name=html]", say.mail);
	await page.locator("[name=list]").selectOption({ label: say.list });
	await look("campaign");
	await press(say.save);
	await page.getByRole("link", { name: say.preview }).click();
	await page.getByText(say.noProblem).waitFor();
	await page.frameLocator("figure.narrow iframe").getByText(say.linkText).waitFor();
	await look("preview");
	await page.goto(`${url}/admin/campaigns`);
	await page.getByRole("link", { name: say.campaign }).click();
	await press(say.sendNow);

	if (say.language === "en")
		await forNextMonth(tester, page, say, press);
};

// A campaign of later: two subjects of which the better one goes to the rest, at a time of another zone.
async function forNextMonth(tester, page, say, press) {
	await page.goto(`${tester.url}/admin/campaigns/new`);
	await page.fill("[name=name]", "New year");
	await page.fill("[name=from]", say.from);
	await page.fill("[name=subject]", "A happy new year");
	await page.fill("[name=subject_b]", "What the new year brings");
	await page.fill("[name=ab_share]", "20");
	await page.fill("[name=ab_hours]", "4");
	await page.fill("[name=html]", say.mail);
	await page.locator("[name=list]").selectOption({ label: say.list });
	await page.fill("[name=at]", `${new Date().getUTCFullYear() + 1}-01-02T09:00`);
	await page.locator("[name=zone]").selectOption("Europe/London");
	await press(say.save);
	await press(say.atItsTime);
	await page.getByText(say.scheduled).first().waitFor();
	await tester.check(page, "scheduled");
	await tester.shot(page, `day-scheduled${say.suffix}`);
}
