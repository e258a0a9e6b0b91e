// What pages do better with script; all of them work without.
"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
	button.hidden = false;
	button.addEventListener("click", async () => {
		const text = button.parentElement.querySelector("code").textContent;
		const label = button.textContent;
		try {
			await navigator.clipboard.writeText(text);
			button.textContent = "\u2713";
		} catch {
			const range = document.createRange();
			range.selectNodeContents(button.parentElement.querySelector("code"));
			getSelection().removeAllRanges();
			getSelection().addRange(range);
		}
		setTimeout(() => { button.textContent = label; }, 1500);
	});
}

// What cannot be undone is asked about, in the page's language.
for (const form of document.querySelectorAll("form")) {
	form.addEventListener("submit", (event) => {
		const question = event.submitter?.dataset.ask;
		if (question && !confirm(question))
			event.preventDefault();
	});
}

// A choice in a list that is followed at once.
for (const select of document.querySelectorAll("select[data-go]"))
	select.addEventListener("change", () => select.form.requestSubmit());

// Subscription forms: a little work that costs nobody anything but a program that signs many up. It looks for the
// least number N so that SHA-256 of "TOKEN:N" begins with so many zero bits (FIPS 180-4).
function primes(count) {
	const found = [];
	for (let n = 2; found.length < count; n++) {
		if (found.every((p) => n % p !== 0))
			found.push(n);
	}
	return found;
}

const fraction = (x) => Math.floor((x % 1) * 2 ** 32) | 0;
const shaStart = primes(8).map((p) => fraction(p ** (1 / 2)));
const shaRounds = primes(64).map((p) => fraction(p ** (1 / 3)));
const turned = (x, n) => x >>> n | x << 32 - n;

// One block of 64 bytes from `at` on; changes `h`.
function shaBlock(h, bytes, at, w) {
	for (let i = 0; i < 16; i++, at += 4)
		w[i] = bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
	for (let i = 16; i < 64; i++) {
		const x = w[i - 15], y = w[i - 2];
		w[i] = w[i - 16] + w[i - 7] + (turned(x, 7) ^ turned(x, 18) ^ x >>> 3)
			+ (turned(y, 17) ^ turned(y, 19) ^ y >>> 10) | 0;
	}
	let [a, b, c, d, e, f, g, j] = h;
	for (let i = 0; i < 64; i++) {
		const one = j + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + (e & f ^ ~e & g)
			+ shaRounds[i] + w[i] | 0;
		const two = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + (a & b ^ a & c ^ b & c) | 0;
		j = g; g = f; f = e; e = d + one | 0;
		d = c; c = b; b = a; a = one + two | 0;
	}
	[a, b, c, d, e, f, g, j].forEach((x, i) => { h[i] = h[i] + x | 0; });
}

// The first 32 bits of the hash of an ASCII text.
function shaFirst(text, w) {
	const bytes = Array.from(text, (c) => c.charCodeAt(0));
	const bits = bytes.length * 8;
	const h = [...shaStart];
	bytes.push(128);
	while (bytes.length % 64 !== 56)
		bytes.push(0);
	bytes.push(0, 0, 0, 0, bits >>> 24, bits >>> 16 & 255, bits >>> 8 & 255, bits & 255);
	for (let at = 0; at < bytes.length; at += 64)
		shaBlock(h, bytes, at, w);
	return h[0];
}

for (const input of document.querySelectorAll("input[data-proof]")) {
	const w = new Int32Array(64);
	let number = 0;
	const work = () => {
		const end = performance.now() + 20; // ms; people are typing meanwhile
		while (performance.now() < end) {
			if (shaFirst(`${input.dataset.proof}:${number}`, w) >>> 32 - input.dataset.bits === 0) {
				input.value = number;
				return;
			}
			number++;
		}
		setTimeout(work);
	};
	work();
}

// A page that shows what goes on is kept up to date, unless nobody sees it or somebody fills something in.
const main = document.querySelector("main[data-refresh]");
if (main) {
	setInterval(async () => {
		if (document.hidden || main.querySelector(":focus-within, details[open]"))
			return;
		try {
			const answer = await fetch(location.href, { redirect: "error" });
			if (!answer.ok)
				return;
			const next = new DOMParser().parseFromString(await answer.text(), "text/html");
			main.replaceChildren(...next.querySelector("main").childNodes);
		} catch {
			// The next time.
		}
	}, main.dataset.refresh * 1000);
}
