/* Patterns of replies: their texts in the configuration, and the section as a whole. */
#include "base/config.h"
#include "base/config_text.h"
#include "base/text.h"

const char *config_shape_reply_class(struct arena *arena, struct slice text)
{
	enum smtp_class class;

	if (!smtp_class_find(text, &class) || class == SMTP_CLASS_UNKNOWN)
		return NULL;
	return arena_copy(arena, text).ptr;
}

const char *config_shape_reply_code(struct arena *arena, struct slice text)
{
	u32 code;

	if (text.len == 0 || text.len > 3 || !slice_to_u32(text, &code) ||
	    (text.ptr[0] != '4' && text.ptr[0] != '5'))
		return NULL;
	return arena_copy(arena, text).ptr;
}

/* RFC 3463 section 2: numbers have up to three digits, and no leading zeros. */
static bool read_enhanced(struct slice text, u16 enhanced[3])
{
	u32 count = 0;
	u32 number;

	enhanced[2] = SMTP_ANY_DETAIL;
	while (text.ptr) {
		struct slice part = slice_split(&text, '.');

		if (count == 3 || part.len > 3 || !slice_to_u32(part, &number) ||
		    (part.len > 1 && part.ptr[0] == '0'))
			return false;
		enhanced[count++] = (u16)number;
	}
	return count >= 2 && (enhanced[0] == 4 || enhanced[0] == 5) && enhanced[1] > 0;
}

const char *config_shape_reply_enhanced(struct arena *arena, struct slice text)
{
	u16 enhanced[3];

	return read_enhanced(text, enhanced) ? arena_copy(arena, text).ptr : NULL;
}

const char *config_shape_fragment(struct arena *arena, struct slice text)
{
	char *copy = (char *)arena_copy(arena, text).ptr;
	size_t len = 0;

	if (!copy)
		return NULL;
	for (size_t i = 0; i < text.len; i++) {
		if (copy[i] != ' ' || len == 0 || copy[len - 1] != ' ')
			copy[len++] = ascii_lower(copy[i]);
	}
	copy[len] = '\0';
	return len >= CONFIG_FRAGMENT_MIN && len <= CONFIG_FRAGMENT_MAX ? copy : NULL;
}

u16 config_reply_code(const char *text)
{
	u32 code = 0;

	/* The shape let digits alone through. */
	if (text && !slice_to_u32(slice_of(text), &code))
		return 0;
	return (u16)code;
}

void config_reply_enhanced(const char *text, u16 enhanced[3])
{
	if (!text || !read_enhanced(slice_of(text), enhanced))
		enhanced[0] = enhanced[1] = enhanced[2] = 0;
}
