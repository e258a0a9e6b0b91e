/*
 * Any line as somebody types it on the console: its words come back the same when they are quoted
 * again, and what Tab would offer begins with what was typed.
 */
#include "base/check.h"
#include "base/text.h"
#include "console/complete.h"
#include "console/history.h"
#include "console/words.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct words words;
static struct words again;
static struct completions found;

static void names(enum name_kind kind, struct completions *completions)
{
	if (kind == NAME_CAMPAIGN)
		completions_offer(completions, "spring sale", "ready");
}

static void check_words(struct slice line)
{
	struct error error;
	struct buf text;

	if (!words_split(&words, line, &error)) {
		ASSERT(strlen(error.text) > 0);
		return;
	}
	buf_init(&text, 4 * WORDS_LINE_MAX);
	for (int i = 0; i < words.count; i++) {
		words_quote(&text, slice_of(words.at[i]));
		buf_add_char(&text, ' ');
	}
	/* Quotes make a line longer; one that no longer fits says nothing. */
	if (text.len <= WORDS_LINE_MAX) {
		ASSERT(words_split(&again, buf_slice(&text), &error));
		ASSERT(again.count == words.count);
		for (int i = 0; i < words.count; i++)
			ASSERT(strcmp(again.at[i], words.at[i]) == 0);
	}
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice line = { (const char *)data, size };
	char *text;

	check_words(line);
	complete_line(line, size % 2 == 0, &words, names, &found);
	ASSERT(completions_common(&found) >= found.typed.len);
	ASSERT(found.start <= size);
	for (size_t i = 0; i < found.count; i++)
		ASSERT(slice_has_prefix(slice_of(found.items[i].word), found.typed));
	completions_done(&found);
	text = malloc(size + 1);
	if (!text)
		return 0;
	slice_copy(text, size + 1, line);
	(void)history_is_kept(text);
	free(text);
	return 0;
}
