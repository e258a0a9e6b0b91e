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
