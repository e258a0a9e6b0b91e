/*
 * Classes and shapes of replies, with any text, code, step and host: always a class, the same one
 * in capitals, for any text within its limits; shapes that are shapes of themselves.
 *
 * Input: code low byte, step, length of the host's name, enhanced code's three bytes, host, text.
 */
#include "base/check.h"
#include "base/text.h"
#include "smtp/reply_class.h"
#include "smtp/reply_words.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define HEAD 6

static void check_class(struct smtp_refusal *refusal)
{
	static const char *const fragments[] = { "not", "today" };
	static const char *const hosts[] = { "*.example" };
	const struct smtp_class_row row = { .class = SMTP_CLASS_RATE, .code = 5, .text = fragments,
					    .text_count = 2, .mx = hosts, .mx_count = 1 };
	const struct smtp_class_table own = { &row, 1 };
	struct smtp_judgement judgement = smtp_classify(refusal, &own);
	struct smtp_judgement louder;
	char text[SMTP_REPLY_TEXT_MAX];

	ASSERT(judgement.class > SMTP_CLASS_NONE && judgement.class < SMTP_CLASS_COUNT);
	ASSERT(judgement.class != SMTP_CLASS_UNKNOWN || judgement.guessed);
	refusal->text = slice_first(refusal->text, sizeof(text));
	for (size_t i = 0; i < refusal->text.len; i++) {
		char c = refusal->text.ptr[i];

		text[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	refusal->text.ptr = text;
	louder = smtp_classify(refusal, &own);
	ASSERT(louder.class == judgement.class && louder.guessed == judgement.guessed);
}

static void check_shape(struct slice text)
{
	char words[SMTP_REPLY_TEXT_MAX];
	char shape[SMTP_REPLY_SHAPE_MAX];
	size_t len = smtp_reply_words(words, text);

	ASSERT(len <= min_size(text.len, SMTP_REPLY_TEXT_MAX));
	ASSERT(len == 0 || words[0] != ' ');
	ASSERT(slice_find((struct slice){ words, len }, SLICE("  ")) < 0);
	len = smtp_reply_shape(shape, text);
	ASSERT(len <= SMTP_REPLY_SHAPE_MAX);
	ASSERT(slice_find((struct slice){ shape, len }, SLICE("  ")) < 0);
	for (size_t i = 0; i < len; i++)
		ASSERT(shape[i] == ascii_lower(shape[i]) && shape[i] != '@');
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct smtp_refusal refusal = { 0 };
	struct slice rest;

	if (size < HEAD)
		return 0;
	rest = slice_from((struct slice){ (const char *)data, size }, HEAD);
	refusal.code = (u16)(400 + data[0] % 200);
	refusal.stage = data[1] % (SMTP_STAGE_QUIT + 1);
	refusal.mx = slice_first(rest, data[2]);
	refusal.text = slice_from(rest, data[2]);
	if (data[3] % 2) {
		refusal.enhanced[0] = refusal.code / 100;
		refusal.enhanced[1] = data[4] % 10;
		refusal.enhanced[2] = data[5];
	}
	check_shape(refusal.text);
	check_class(&refusal);
	return 0;
}
