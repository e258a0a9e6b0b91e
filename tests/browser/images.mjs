// Images are brought, described, put into a mail and deleted; looked at with axe, in both languages.

import zlib from "node:zlib";

function crc(bytes) {
	let c = ~0;
	for (const byte of bytes) {
		c ^= byte;
		for (let i = 0; i < 8; i++)
			c = c >>> 1 ^ (c & 1 ? 0xedb88320 : 0);
	}
	return ~c >>> 0;
}

// Stripes of a colour, paler and paler.
function png(width, height, [red, green, blue]) {
	const chunk = (kind, data) => {
		const head = Buffer.alloc(4);
		const tail = Buffer.alloc(4);
		const body = Buffer.concat([Buffer.from(kind), data]);
		head.writeUInt32BE(data.length);
		tail.writeUInt32BE(crc(body));
		return Buffer.concat([head, body, tail]);
	};
	const sides = Buffer.alloc(13);
	const rows = Buffer.alloc(height * (1 + 3 * width));
	sides.writeUInt32BE(width, 0);
	sides.writeUInt32BE(height, 4);
	sides.set([8, 2, 0, 0, 0], 8);
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			const pale = Math.floor(8 * x / width) * 20;
			rows.set([red, green, blue].map((c) => Math.min(255, c + pale)), y * (1 + 3 * width) + 1 + 3 * x);
		}
	}
	return Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), chunk("IHDR", sides),
		chunk("IDAT", zlib.deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

const file = (name, ...more) => ({ name, mimeType: "image/png", buffer: png(...more) });

export default async (tester) => {
	const { assert, url } = tester;
	const page = await tester.open({ script: false });

	await tester.signIn(page);
	await page.goto(`${url}/admin/images`);
	await page.setInputFiles("[name=file]", [file("summer.png", 640, 200, [180, 60, 20]),
		file("logo.png", 120, 120, [20, 110, 90]), file("tall.png", 90, 600, [60, 70, 150])]);
	await page.locator("main form button").first().click();
	await page.waitForLoadState();
	assert.equal(await page.locator(".images img").count(), 3);
	assert.ok(await page.locator(".images img").evaluateAll((all) =>
		all.every((one) => one.loading === "lazy" && one.naturalWidth > 0)));
	await page.getByRole("link", { name: "summer.png" }).click();
	await page.fill("[name=alt]", "Summer sale: a third off");
	await page.getByRole("button", { name: "Save" }).click();
	assert.ok((await page.textContent("code")).includes('alt="Summer sale: a third off"'));
	const where = new URL(page.url()).pathname;
	await page.context().close();

	// With script the tag comes to where the cursor is.
	const live = await tester.open();
	await tester.signIn(live);
	await live.goto(`${url}/admin/campaigns/new`);
	await live.fill("[name=html]", "<p>before</p><p>after</p>");
	await live.evaluate(() => document.querySelector("[name=html]").setSelectionRange(13, 13));
	await live.getByText("Images to put in").click();
	await live.getByRole("button", { name: "Insert summer.png" }).click();
	assert.match(await live.inputValue("[name=html]"),
		/^<p>before<\/p><img src="\/i\/[0-9a-f]{32}\/summer.png" alt="Summer sale: a third off" .*><p>after<\/p>$/);
	await tester.check(live, "editor with images");
	await tester.shot(live, "images-editor");
	await live.fill("[name=name]", "Summer");
	await live.fill("[name=from]", "Shop <shop@courier.example>");
	await live.fill("[name=subject]", "Summer sale");
	await live.getByRole("button", { name: "Save" }).click();
	await live.waitForURL(/campaigns\/\d+$/);
	const preview = `${new URL(live.url()).pathname}/preview`;
	await live.goto(`${url}${preview}`);
	const shown = live.frameLocator(".wide iframe").locator("img");
	await shown.waitFor();
	assert.ok(await shown.evaluate((one) => one.complete && one.naturalWidth === 640));
	await tester.shot(live, "images-preview");

	// What a mail has is deleted when that was said twice.
	tester.expect("409");
	await live.goto(`${url}${where}`);
	await live.getByRole("button", { name: "Delete" }).click();
	await live.getByRole("button", { name: "Delete it all the same" }).waitFor();
	await tester.check(live, "images delete");
	await tester.shot(live, "images-delete");
	await live.context().close();

	for (const { paths, ...look } of [
		{ name: "light", language: "en", paths: ["/admin/images", where] },
		{ name: "dark-ja", language: "ja", dark: true, paths: ["/admin/images", where] },
		{ name: "phone-ja", language: "ja", phone: true, paths: ["/admin/images", where, "/admin/campaigns/new"] },
	]) {
		const other = await tester.open(look);
		await tester.signIn(other);
		for (const path of paths) {
			await other.goto(`${url}${path}`);
			for (const choice of await other.locator("details.choice summary").all())
				await choice.click();
			await tester.check(other, `${path} ${look.name}`);
			const kind = path === where ? "one" : path.endsWith("new") ? "editor" : "all";
			await tester.shot(other, `images-${kind}-${look.name}`);
		}
		await other.context().close();
	}
};
