/* The attributes and lists that segments of tests may name. */
#ifndef TESTS_CAMPAIGN_SEGMENT_NAMES_H
#define TESTS_CAMPAIGN_SEGMENT_NAMES_H

#include "base/text.h"
#include "campaign/segment.h"

struct segment_test_name {
	const char *name;
	u32 id;
	enum segment_type type;
};

static const struct segment_test_name segment_test_attributes[] = {
	{ "prefecture", 1, SEGMENT_TEXT }, { "points", 2, SEGMENT_NUMBER },
	{ "birthday", 3, SEGMENT_DATE },   { "wants_paper", 4, SEGMENT_YES_NO },
	{ "plan", 5, SEGMENT_TEXT },	   { "state", 6, SEGMENT_TEXT },
	{ "contract_end", 7, SEGMENT_DATE }, { "2nd", 8, SEGMENT_TEXT },
};
static const struct segment_test_name segment_test_lists[] = {
	{ "vip", 1, SEGMENT_TEXT },
	{ "news", 2, SEGMENT_TEXT },
	{ "a \"quoted\\\" one", 3, SEGMENT_TEXT },
};

static inline bool segment_test_look(const struct segment_test_name *names, size_t count,
				     struct segment_named *named)
{
	for (size_t i = 0; i < count; i++) {
		if (named->name.ptr ? !slice_equal_nocase(named->name, slice_of(names[i].name)) :
				      named->id != names[i].id)
			continue;
		*named = (struct segment_named){ slice_of(names[i].name), names[i].id, names[i].type };
		return true;
	}
	return false;
}

static inline bool segment_test_attribute(void *owner, struct segment_named *named)
{
	(void)owner;
	return segment_test_look(segment_test_attributes, array_count(segment_test_attributes), named);
}

static inline bool segment_test_list(void *owner, struct segment_named *named)
{
	(void)owner;
	return segment_test_look(segment_test_lists, array_count(segment_test_lists), named);
}

static const struct segment_names segment_test_names = { NULL, segment_test_attribute,
							  segment_test_list };

#endif
