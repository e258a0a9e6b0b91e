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

// A tag that is put where the cursor is in the text that the button names.
for (const button of document.querySelectorAll("[data-insert]")) {
	button.hidden = false;
	button.addEventListener("click", () => {
		const text = button.form.elements[button.dataset.insert];
		const tag = button.parentElement.querySelector("code").textContent;
		text.setRangeText(tag, text.selectionStart, text.selectionEnd, "end");
		text.dispatchEvent(new Event("input", { bubbles: true }));
		text.focus();
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

// A mail that is being written is shown as it will look, a moment after the last key. A frame that is new has no
// history, so that the browser's way back leads out of the page.
for (const button of document.querySelectorAll("button[data-look]")) {
	let timer;
	const show = () => {
		const frame = document.querySelector(`iframe[name="${button.formTarget}"]`);
		const fresh = frame.cloneNode();
		fresh.removeAttribute("src");
		frame.replaceWith(fresh);
		button.form.requestSubmit(button);
	};
	button.form.addEventListener("input", (event) => {
		clearTimeout(timer);
		if (event.target.name !== "width")
			timer = setTimeout(show, 900);
	});
	if (!document.querySelector(`iframe[name="${button.formTarget}"]`).src)
		show();
}

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

// Charts are drawn from the tables beside them: the first column is moments, the others are numbers.
function drawChart(box) {
	const table = box.parentElement.querySelector("details table");
	const rows = [...table.tBodies[0].rows];
	const heads = [...table.tHead.rows[0].cells];
	const style = getComputedStyle(document.documentElement);
	const color = (name) => style.getPropertyValue(name).trim();
	const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
	const data = heads.map((head, column) => rows.map(({ cells }) => column === 0
		? Date.parse(cells[0].querySelector("time").dateTime) / 1000
		: Number(cells[column].textContent.replaceAll(",", ""))));
	const series = heads.map((head, column) => column === 0 ? {} : {
		label: head.textContent, stroke: color(`--chart-${column}`), width: 2, points: { show: false },
	});
	if (rows.length < 2)
		return;
	box.hidden = false;
	box.replaceChildren();
	const zone = box.dataset.zone; // of the settings, as the table has it
	const span = data[0][rows.length - 1] - data[0][0];
	const format = new Intl.DateTimeFormat(document.documentElement.lang,
		{ timeZone: zone, ...(span < 2 * 86400 ? { hour: "numeric", minute: "2-digit" } : { month: "short", day: "numeric" }) });
	const values = (self, ticks) => ticks.map((tick) => format.format(tick * 1000));
	new uPlot({
		width: box.clientWidth, height: 220, series, axes: [{ ...axis, values }, { ...axis, size: 60 }],
		scales: { x: { range: (self, low, high) => [Math.min(low, high - 3600), high] },
			y: { range: (self, low, high) => [0, Math.max(high, 4)] } },
		legend: { live: false }, tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
	}, data, box);
}

function drawCharts() {
	for (const box of document.querySelectorAll("[data-chart]"))
		drawChart(box);
}

drawCharts();
if (document.querySelector("[data-chart]")) {
	let waits = 0;
	addEventListener("resize", () => {
		clearTimeout(waits);
		waits = setTimeout(drawCharts, 200);
	});
}

// A page that shows what goes on is kept up to date, unless nobody sees it or somebody fills something in.
const main = document.querySelector("main[data-refresh]");
if (main) {
	const timer = setInterval(async () => {
		if (document.hidden || main.querySelector(":focus-within, details[open]"))
			return;
		try {
			const answer = await fetch(location.href, { redirect: "error", headers: { "X-Refresh": "1" } });
			if (!answer.ok)
				return;
			const next = new DOMParser().parseFromString(await answer.text(), "text/html");
			main.replaceChildren(...next.querySelector("main").childNodes);
			if (!next.querySelector("main[data-refresh]"))
				clearInterval(timer);
			drawCharts();
		} catch {
			// The next time.
		}
	}, main.dataset.refresh * 1000);
}

// A number that follows what is written: asked for as the button beside it does, without leaving the page.
for (const out of document.querySelectorAll("[data-live]")) {
	const form = out.closest("form");
	let asked;
	let timer;
	form.addEventListener("input", () => {
		clearTimeout(timer);
		asked?.abort();
		timer = setTimeout(async () => {
			asked = new AbortController();
			const { signal } = asked;
			const body = new URLSearchParams(new FormData(form));
			body.set("do", out.dataset.live);
			try {
				const answer = await fetch(form.action, { method: "POST", body, signal, redirect: "error" });
				const next = new DOMParser().parseFromString(await answer.text(), "text/html");
				out.replaceChildren(...(next.querySelector("[data-live]")?.childNodes ?? []));
			} catch {
				// Something newer is asked for, or nobody answers.
			}
		}, 400);
	});
}
