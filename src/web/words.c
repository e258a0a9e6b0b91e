#include "web/words.h"

#include "base/text.h"

static const char *const codes[LANGUAGES] = { "en", "ja" };

const char *language_code(enum language language)
{
	return codes[language];
}

bool language_of_code(struct slice code, enum language *language)
{
	for (u32 i = 0; i < LANGUAGES; i++) {
		if (slice_equal_nocase(code, slice_of(codes[i]))) {
			*language = (enum language)i;
			return true;
		}
	}
	return false;
}

/* A weight in thousandths: "1", "0.8"; what is none weighs nothing. */
static u32 weight_of(struct slice text)
{
	u32 value = 0;
	u32 unit = 1000;

	text = slice_trim(text);
	for (size_t i = 0; i < text.len && unit > 0; i++) {
		if (text.ptr[i] == '.' && i == 1)
			continue;
		if (!ascii_is_digit(text.ptr[i]) || (i == 1 && text.len > 1))
			return 0;
		value += (u32)(text.ptr[i] - '0') * unit;
		unit /= 10;
	}
	return min_u32(value, 1000);
}

enum language language_wanted(struct slice rest)
{
	enum language best = LANGUAGE_ENGLISH;
	u32 best_weight = 0;

	while (rest.ptr) {
		struct slice parameters = slice_split(&rest, ',');
		struct slice range = slice_trim(slice_split(&parameters, ';'));
		struct slice code = slice_split(&range, '-');
		struct slice name = slice_trim(slice_split(&parameters, '='));
		enum language language;
		u32 weight = 1000;

		if (slice_equal_nocase(name, SLICE("q")))
			weight = weight_of(parameters);
		if (language_of_code(code, &language) && weight > best_weight) {
			best = language;
			best_weight = weight;
		}
	}
	return best;
}
