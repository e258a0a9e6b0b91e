#include "web/query.h"

#include "base/text.h"
#include "web/page.h"

bool web_query_text(struct call *call, const char *name, char *out, size_t size)
{
	if (slice_copy(out, size, call_query(call, name)))
		return true;
	call_refuse(call, 400, NULL, "%s in the query is too long", name);
	return false;
}
