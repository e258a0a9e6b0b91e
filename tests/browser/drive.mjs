// Runs one scenario in Chromium: `node drive.mjs SCENARIO`, with HIKYAKU_URL, HIKYAKU_EMAIL,
// HIKYAKU_PASSWORD and HIKYAKU_SHOTS (a folder) in the environment. What the pages' policy forbids, what a
// script throws and what the console calls an error fails it, and so does what axe-core finds.

import assert from "node:assert/strict";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const modules = process.env.HIKYAKU_MODULES;
const require = createRequire(path.join(modules, "package.json"));
const { chromium } = require("playwright-core");
const axe = require.resolve("axe-core/axe.min.js");

const url = process.env.HIKYAKU_URL;
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 800 };

class Tester {
	constructor(browser) {
		this.browser = browser;
		this.url = url;
		this.email = process.env.HIKYAKU_EMAIL;
		this.password = process.env.HIKYAKU_PASSWORD;
		this.complaints = [];
		this.expected = [];
		this.assert = assert;
	}

	// A page of a browser of its own: { language: "ja", dark: true, phone: true, script: false }.
	async open({ language = "en", dark = false, phone = false, script = true } = {}) {
		const context = await this.browser.newContext({
			ignoreHTTPSErrors: true,
			locale: language === "ja" ? "ja-JP" : "en-GB",
			colorScheme: dark ? "dark" : "light",
			viewport: phone ? PHONE : DESK,
			isMobile: phone,
			hasTouch: phone,
			javaScriptEnabled: script,
			permissions: ["clipboard-read", "clipboard-write"],
		});
		const page = await context.newPage();
		page.setDefaultTimeout(15000);
		page.on("pageerror", (error) => this.complaints.push(String(error)));
		page.on("console", (message) => {
			if (message.type() === "error" && !this.expected.some((one) => message.text().includes(one)))
				this.complaints.push(message.text());
		});
		return page;
	}

	// Status codes that a scenario wants to see, which the console calls errors.
	expect(text) {
		this.expected.push(text);
	}

	async signIn(page, email = this.email, password = this.password) {
		await page.goto(`${url}/admin/login`);
		await page.fill("[name=email]", email);
		await page.fill("[name=password]", password);
		await page.keyboard.press("Enter");
		await page.waitForURL((at) => at.pathname !== "/admin/login");
	}

	async shot(page, name) {
		await page.screenshot({ path: path.join(process.env.HIKYAKU_SHOTS, `${name}.png`), fullPage: true });
	}

	// No sideways scrolling, and nothing that axe-core finds at WCAG 2.2 A and AA.
	async check(page, what) {
		const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
		assert.ok(wide <= 0, `${what}: ${wide} pixels wider than the screen`);
		// From the debugger's side: the page's own policy lets no script in.
		await page.evaluate(await this.axeSource());
		const found = await page.evaluate(() => globalThis.axe.run(document, {
			runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
		}));
		const said = found.violations.map((one) =>
			`${one.id}: ${one.help}: ${one.nodes.map((node) => `${node.html} ${node.failureSummary}`).join("; ")}`);
		assert.deepEqual(said, [], `${what}: axe`);
	}

	async axeSource() {
		const { readFile } = await import("node:fs/promises");
		this.axe ??= await readFile(axe, "utf8");
		return this.axe;
	}
}

const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
});
try {
	const tester = new Tester(browser);
	const scenario = await import(pathToFileURL(path.resolve(process.argv[2])));
	await scenario.default(tester);
	assert.deepEqual(tester.complaints, []);
} finally {
	await browser.close();
}
