#include "web/reader_token.h"

#include "base/clock.h"
#include "base/text.h"

bool reader_token_read(const struct call *call, enum link_purpose purpose,
		       struct link_token *token)
{
	return link_token_read(call->web->links, purpose, slice_of(call->argument),
			       clock_wall_ms() / 1000, token);
}

struct slice reader_says(const struct call *call, const char *name)
{
	struct slice value = scgi_head_find(&call->head, slice_of(name));

	return value.ptr ? value : SLICE("");
}

struct visit reader_visit(const struct call *call)
{
	struct visit visit = { .method = reader_says(call, "REQUEST_METHOD"),
			       .agent = reader_says(call, "HTTP_USER_AGENT"),
			       .purpose = reader_says(call, "HTTP_SEC_PURPOSE"),
			       .address = reader_says(call, "REMOTE_ADDR") };

	if (visit.purpose.len == 0)
		visit.purpose = reader_says(call, "HTTP_PURPOSE");
	if (visit.purpose.len == 0)
		visit.purpose = reader_says(call, "HTTP_X_MOZ");
	return visit;
}
