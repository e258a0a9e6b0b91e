#include "console/audit.h"

#include "base/buf.h"
#include "base/text.h"
#include "console/human.h"
#include "console/link.h"

#define TEXT_MAX 1000

void audit_note(const char *line)
{
	struct buf text;

	buf_init(&text, 4 * TEXT_MAX);
	human_text(&text, slice_first(slice_of(line), TEXT_MAX));
	link_tell_init(json_pack("{s:s, s:s}", "command", "log.write", "text", buf_text(&text)));
	buf_done(&text);
}
