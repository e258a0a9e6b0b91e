#include "web/public_token.h"

#include "base/clock.h"
#include "base/text.h"

bool public_token_read(const struct call *call, enum link_purpose purpose,
		       struct link_token *token)
{
	return link_token_read(call->web->links, purpose, slice_of(call->argument),
			       clock_wall_ms() / 1000, token);
}

struct slice public_says(const struct call *call, const char *name)
{
	struct slice value = scgi_head_find(&call->head, slice_of(name));

	return value.ptr ? value : SLICE("");
}

struct visit public_visit(const struct call *call)
{
	struct visit visit = { .method = public_says(call, "REQUEST_METHOD"),
			       .agent = public_says(call, "HTTP_USER_AGENT"),
			       .purpose = public_says(call, "HTTP_SEC_PURPOSE"),
			       .address = public_says(call, "REMOTE_ADDR") };

	if (visit.purpose.len == 0)
		visit.purpose = public_says(call, "HTTP_PURPOSE");
	if (visit.purpose.len == 0)
		visit.purpose = public_says(call, "HTTP_X_MOZ");
	return visit;
}
