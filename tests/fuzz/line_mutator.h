/*
 * A mutator for inputs that are text in lines, behind a head of bytes that choose options: it
 * moves, doubles and drops lines, and puts in those that the target knows, so that structures grow
 * which random bytes never make. Every fourth input is left to libFuzzer's own mutations.
 *
 * The includer defines, before, `known_lines` (an array of struct slice; one without LF goes into
 * the middle of a line) and LINES_HEAD, the bytes of options.
 */
#ifndef TESTS_FUZZ_LINE_MUTATOR_H
#define TESTS_FUZZ_LINE_MUTATOR_H

#include "base/random.h"
#include "base/text.h"

#include <string.h>

#define LINES_MAX 512
#define LINE_CHANGED_MAX 1024

size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned seed);

/* Each with its LF but for the last. */
struct lines {
	u32 count;
	struct slice list[LINES_MAX];
};

static void lines_parse(struct lines *lines, struct slice text)
{
	lines->count = 0;
	while (text.len > 0 && lines->count < LINES_MAX) {
		i64 end = slice_find_char(text, '\n');
		size_t len = end < 0 ? text.len : (size_t)end + 1;

		lines->list[lines->count++] = slice_first(text, len);
		text = slice_from(text, len);
	}
}

static size_t lines_write(const struct lines *lines, u8 *out, size_t max)
{
	size_t size = 0;

	for (u32 i = 0; i < lines->count && size + lines->list[i].len <= max; i++) {
		memcpy(out + size, lines->list[i].ptr, lines->list[i].len);
		size += lines->list[i].len;
	}
	return size;
}

static void lines_insert(struct lines *lines, u32 at, struct slice line)
{
	if (lines->count == LINES_MAX)
		return;
	memmove(&lines->list[at + 1], &lines->list[at], (lines->count - at) * sizeof(struct slice));
	lines->list[at] = line;
	lines->count++;
}

static void lines_remove(struct lines *lines, u32 at)
{
	lines->count--;
	memmove(&lines->list[at], &lines->list[at + 1], (lines->count - at) * sizeof(struct slice));
}

/* Cuts a line in two at a random place and puts a word between, or a line at its front. */
static void lines_add_known(struct lines *lines, u32 at, struct random *random)
{
	struct slice known = known_lines[random_below(random, array_count(known_lines))];
	struct slice line = at < lines->count ? lines->list[at] : SLICE("");
	size_t cut = line.len > 0 ? random_below(random, line.len) : 0;

	if (cut == 0 || known.ptr[known.len - 1] == '\n' || lines->count + 2 > LINES_MAX) {
		lines_insert(lines, at, known);
		return;
	}
	lines->list[at] = slice_from(line, cut);
	lines_insert(lines, at, known);
	lines_insert(lines, at, slice_first(line, cut));
}

/* A run of lines once more, somewhere else. */
static void lines_double(struct lines *lines, u32 at, struct random *random)
{
	u32 to = (u32)random_below(random, lines->count + 1);

	for (u64 left = random_below(random, 6) + 1; left > 0 && at < lines->count; left--) {
		lines_insert(lines, to, lines->list[at]);
		at += to <= at ? 2 : 1;
		to++;
	}
}

static void lines_change(struct lines *lines, struct random *random)
{
	static u8 changed[LINE_CHANGED_MAX];
	u32 at = (u32)random_below(random, lines->count + 1);
	size_t len;

	if (at == lines->count || random_below(random, 3) == 0) {
		lines_add_known(lines, at, random);
		return;
	}
	switch (random_below(random, 5)) {
	case 0:
		lines_remove(lines, at);
		break;
	case 1:
		lines_double(lines, at, random);
		break;
	case 2:
		lines->list[at] = known_lines[random_below(random, array_count(known_lines))];
		break;
	default:
		len = min_size(lines->list[at].len, sizeof(changed));
		memcpy(changed, lines->list[at].ptr, len);
		len = LLVMFuzzerMutate(changed, len, sizeof(changed));
		lines->list[at] = (struct slice){ (const char *)changed, len };
	}
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned seed)
{
	static u8 old[1u << 20];
	static struct lines lines;
	struct random random;

	random_seed(&random, seed);
	if (size <= LINES_HEAD || size > sizeof(old) || random_below(&random, 4) == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	if (LINES_HEAD > 0 && random_below(&random, 8) == 0)
		data[random_below(&random, LINES_HEAD)] = (u8)random_below(&random, 256);
	memcpy(old, data, size);
	lines_parse(&lines, slice_from((struct slice){ (const char *)old, size }, LINES_HEAD));
	/* The changed bytes of one line are kept until the input is written: one such change at
	 * most. */
	lines_change(&lines, &random);
	size = LINES_HEAD + lines_write(&lines, data + LINES_HEAD, max_size - LINES_HEAD);
	return size;
}

#endif
