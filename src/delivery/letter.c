/* Layouts of what letters have in the store beside their heads. */
#include "delivery/letter.h"

#include "store/row_values.h"

#define SOURCE_PARTS 6

void letter_row_write(struct buf *values, const struct letter_recipient *recipient)
{
	buf_add_char(values, (char)recipient->notify);
	buf_add_char(values, (char)(recipient->orcpt.len >> 8));
	buf_add_char(values, (char)recipient->orcpt.len);
	buf_add_slice(values, recipient->orcpt);
	buf_add_slice(values, recipient->values);
}

bool letter_row_read(struct slice values, struct letter_row *row)
{
	size_t len;

	if (values.len < LETTER_ROW_LEAST)
		return false;
	row->notify = (u8)values.ptr[0];
	len = (size_t)(u8)values.ptr[1] << 8 | (u8)values.ptr[2];
	row->size = LETTER_ROW_LEAST + len;
	row->orcpt = (struct slice){ values.ptr + LETTER_ROW_LEAST, len };
	return values.len >= row->size;
}

void letter_source_pack(struct buf *out, const struct planner_source *s)
{
	const struct slice parts[SOURCE_PARTS] = { s->whole, s->headers, s->text,
						   s->html,  s->columns, s->options };

	row_values_pack(out, parts, SOURCE_PARTS);
}

bool letter_source_unpack(struct slice content, struct planner_source *s)
{
	struct slice parts[SOURCE_PARTS];

	if (!row_values_unpack(content, parts, SOURCE_PARTS))
		return false;
	*s = (struct planner_source){ parts[0], parts[1], parts[2], parts[3], parts[4], parts[5] };
	return true;
}
