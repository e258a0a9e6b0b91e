#include "web/use_names.h"

#include "base/text.h"

void use_names_add(struct use_names *names, const char *english, const char *japanese,
		   struct slice name)
{
	if (names->count++ >= USE_NAMES_SHOWN)
		return;
	if (names->count > 1)
		buf_add_text(names->who, names->japanese ? "、" : ", ");
	if (names->japanese)
		buf_add_format(names->who, "%s「%.*s」", japanese, SLICE_FMT(name));
	else
		buf_add_format(names->who, "%s \"%.*s\"", english, SLICE_FMT(name));
}

void use_names_end(struct use_names *names)
{
	if (names->count > USE_NAMES_SHOWN)
		buf_add_format(names->who, names->japanese ? " 他%u件" : " and %u more",
			       names->count - USE_NAMES_SHOWN);
}
