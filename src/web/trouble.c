#include "web/trouble.h"

#include "base/text.h"
#include "campaign/draft.h"

#define HOLES 5
#define DEPTH_MAX 4

static const struct slice divider = { ": ", 2 };

struct holes {
	struct slice of[HOLES];
};

static bool is_hole(const char *pattern, char opens, char closes)
{
	return pattern[0] == opens && pattern[1] >= '1' && pattern[1] < '1' + HOLES &&
	       pattern[2] == closes;
}

/* A hole takes as little as it can. */
static bool match(const char *pattern, struct slice text, struct holes *holes)
{
	for (; *pattern && !is_hole(pattern, '{', '}'); pattern++) {
		if (text.len == 0 || text.ptr[0] != *pattern)
			return false;
		text = slice_from(text, 1);
	}
	if (!*pattern)
		return text.len == 0;
	for (size_t len = 0; len <= text.len; len++) {
		if (!match(pattern + 3, slice_from(text, len), holes))
			continue;
		holes->of[pattern[1] - '1'] = slice_first(text, len);
		return true;
	}
	return false;
}

/* What is wrong with a campaign's draft has its words with the draft. */
static const char *find_draft_problem(struct slice text)
{
	for (u32 i = 0; i < DRAFT_PROBLEMS; i++) {
		if (slice_equal(text, slice_of(draft_problem_words((enum draft_problem)i, false))))
			return draft_problem_words((enum draft_problem)i, true);
	}
	return NULL;
}

/* Of patterns that begin with a hole, or of all others. */
static const char *find_of(bool begins_with_hole, struct slice text, struct holes *holes)
{
	for (u32 i = 0; i < trouble_words_count; i++) {
		const char *english = trouble_words[i].english;

		if (is_hole(english, '{', '}') == begins_with_hole && match(english, text, holes) &&
		    (!begins_with_hole || slice_find(holes->of[0], divider) < 0))
			return trouble_words[i].japanese;
	}
	return NULL;
}

/* Its translation, with holes; NULL: there is no pattern for it. */
static const char *find(struct slice text, struct holes *holes)
{
	const char *japanese = find_of(false, text, holes);

	if (!japanese)
		japanese = find_of(true, text, holes);
	return japanese || text.len == 0 ? japanese : find_draft_problem(text);
}

static void write(struct slice text, u32 depth, struct buf *out);

static void fill_in(const char *japanese, const struct holes *holes, u32 depth, struct buf *out)
{
	for (; *japanese; japanese++) {
		bool is_sentence = is_hole(japanese, '[', ']');

		if (!is_sentence && !is_hole(japanese, '{', '}')) {
			buf_add_char(out, *japanese);
			continue;
		}
		if (is_sentence)
			write(holes->of[japanese[1] - '1'], depth + 1, out);
		else
			buf_add_slice(out, holes->of[japanese[1] - '1']);
		japanese += 2;
	}
}

/* "news:12", a line of a text; or a noun, such as a field of a draft. */
static void write_place(struct slice place, u32 depth, struct buf *out)
{
	struct holes holes = { 0 };
	size_t colon = place.len;
	const char *japanese = find(place, &holes);

	if (japanese) {
		fill_in(japanese, &holes, depth, out);
		return;
	}
	while (colon > 0 && place.ptr[colon - 1] >= '0' && place.ptr[colon - 1] <= '9')
		colon--;
	if (colon > 1 && colon < place.len && place.ptr[colon - 1] == ':') {
		write_place(slice_first(place, colon - 1), depth, out);
		buf_add_format(out, " %.*s行目", SLICE_FMT(slice_from(place, colon)));
	} else {
		buf_add_slice(out, place);
	}
}

/* The translation of the sentence, which begins at *at, behind the names of places; NULL: none. */
static const char *find_sentence(struct slice text, size_t *at, struct holes *holes)
{
	const char *japanese = NULL;

	*at = 0;
	while (*at < text.len && !(japanese = find(slice_from(text, *at), holes))) {
		i64 next = slice_find(slice_from(text, *at), divider);

		*at = next < 0 ? text.len : *at + (size_t)next + divider.len;
	}
	return japanese;
}

static void write(struct slice text, u32 depth, struct buf *out)
{
	struct holes holes = { 0 };
	const char *japanese = NULL;
	size_t sentence = 0;
	size_t at = 0;

	if (depth < DEPTH_MAX)
		japanese = find_sentence(text, &sentence, &holes);
	if (!japanese) {
		buf_add_slice(out, text);
		return;
	}
	while (at < sentence) {
		struct slice rest = slice_from(text, at);
		size_t len = (size_t)slice_find(rest, divider);

		write_place(slice_first(rest, len), depth, out);
		buf_add_text(out, "：");
		at += len + divider.len;
	}
	fill_in(japanese, &holes, depth, out);
}

struct slice trouble_in(enum language language, struct slice english, struct trouble *room)
{
	struct buf out = { .ptr = room->text,
			   .size = sizeof(room->text),
			   .max = sizeof(room->text) };

	if (language == LANGUAGE_ENGLISH)
		return english;
	write(english, 0, &out);
	return out.failed ? english : buf_slice(&out);
}

void trouble_add_finding(const struct review_finding *finding, enum language language,
			 struct buf *out)
{
	struct review_finding told = *finding;
	struct trouble room;

	if (told.kind == REVIEW_TEMPLATE_BROKEN)
		told.detail = trouble_in(language, told.detail, &room);
	review_add_problem(&told, language == LANGUAGE_JAPANESE, out);
}
