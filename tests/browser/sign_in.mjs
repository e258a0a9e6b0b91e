// Signing in by the keyboard, a wrong password, codes beside the password, both languages, without script.

import { createHmac } from "node:crypto";

function totp(text, seconds = Date.now() / 1000) {
	const bits = [...text.replaceAll(" ", "")]
		.map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
	const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
	const step = Buffer.alloc(8);
	step.writeBigUInt64BE(BigInt(Math.floor(seconds / 30)));
	const mac = createHmac("sha1", key).update(step).digest();
	const code = (mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000;
	return String(code).padStart(6, "0");
}

export default async (tester) => {
	const { assert, url } = tester;
	tester.expect("422");

	const page = await tester.open();
	await page.goto(`${url}/admin/settings`);
	assert.equal(new URL(page.url()).pathname, "/admin/login");
	assert.equal(await page.title(), "Sign in – hikyaku");
	await tester.check(page, "login");
	await tester.shot(page, "login");
	// The field is ready for typing; Tab goes on in the order that one sees.
	await page.keyboard.type(tester.email);
	await page.keyboard.press("Tab");
	await page.keyboard.type("wrong words");
	await page.keyboard.press("Enter");
	await page.getByRole("alert").waitFor();
	assert.match(await page.getByRole("alert").textContent(), /do not belong together/);
	await tester.check(page, "login with an error");
	await page.getByLabel("Password").fill(tester.password);
	await page.getByRole("button", { name: "Sign in" }).click();
	await page.waitForURL(`${url}/admin/settings`); // where one wanted to go
	assert.equal(await page.getByRole("link", { name: "Settings" }).getAttribute("aria-current"), "page");

	await page.goto(`${url}/admin/account/codes`);
	await tester.check(page, "codes");
	await tester.shot(page, "codes");
	const secret = await page.locator(".facts code").textContent();
	await page.getByLabel("Code of six digits").fill(totp(secret));
	await page.getByRole("button", { name: "Turn on" }).click();
	const codes = await page.locator(".codes code").allTextContents();
	assert.equal(codes.length, 10);
	await tester.check(page, "recovery codes");

	const other = await tester.open({ language: "ja", dark: true, phone: true, script: false });
	await other.goto(`${url}/admin/login`);
	assert.equal(await other.title(), "ログイン – hikyaku");
	await tester.shot(other, "login-ja-dark-phone");
	await other.getByLabel("メールアドレス").fill(tester.email);
	await other.getByLabel("パスワード").fill(tester.password);
	await other.getByRole("button", { name: "ログイン" }).click();
	await other.waitForURL((at) => at.pathname === "/admin/login/code");
	await other.getByLabel("コード").fill(totp(secret, Date.now() / 1000 + 30));
	await tester.shot(other, "code-ja-dark-phone");
	await other.getByRole("button", { name: "続ける" }).click();
	await other.waitForURL(`${url}/admin`);
	assert.equal(await other.getByRole("heading", { level: 1 }).textContent(), "ダッシュボード");
	await other.getByRole("button", { name: "ログアウト" }).click();
	await other.waitForURL(`${url}/admin/login`);
};
