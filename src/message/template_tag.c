#include "message/template_tag.h"

#include "base/text.h"

size_t template_tag_length(struct slice text)
{
	bool quoted = false;

	if (!slice_has_prefix(text, SLICE("{{")))
		return 0;
	if (slice_has_prefix(text, SLICE("{{{{")))
		return 4;
	for (size_t i = 2; i < text.len && text.ptr[i] != '\n'; i++) {
		char c = text.ptr[i];

		if (c == '"') {
			quoted = !quoted;
		} else if (quoted) {
			i += c == '\\';
		} else if (c == '{' || c == '\\') {
			return 0;
		} else if (c == '}' && i + 1 < text.len && text.ptr[i + 1] == '}') {
			return i + 2;
		}
	}
	return 0;
}
