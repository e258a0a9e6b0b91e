/* What is to be exported, and how, as a query says it. */
#include "base/text.h"
#include "campaign/import_guess.h"
#include "web/contact_export.h"
#include "web/page.h"
#include "web/query.h"

const char *const export_column_names[EXPORT_FIXED] = { "email", "state", "created", "changed" };

static void add(struct contact_export *what, enum export_column_kind kind, u16 id)
{
	if (what->column_count < EXPORT_COLUMNS_MAX)
		what->columns[what->column_count++] = (struct export_column){ (u8)kind, id };
}

static void add_all(struct contact_export *what, const struct nouns *nouns)
{
	for (u32 i = 0; i < EXPORT_FIXED; i++)
		add(what, (enum export_column_kind)i, 0);
	for (u32 i = 0; i < nouns->attribute_count; i++)
		add(what, EXPORT_ATTRIBUTE, nouns->attributes[i].id);
	for (u32 i = 0; i < nouns->list_count; i++)
		add(what, EXPORT_LIST, nouns->lists[i].id);
}

static bool add_named(struct contact_export *what, struct slice name, const struct nouns *nouns)
{
	const struct attribute *attribute = nouns_attribute_named(nouns, name);
	const struct audience_list *list = NULL;

	for (u32 i = 0; i < EXPORT_FIXED; i++) {
		if (slice_equal_nocase(name, slice_of(export_column_names[i]))) {
			add(what, (enum export_column_kind)i, 0);
			return true;
		}
	}
	if (slice_has_prefix(name, SLICE("list:")))
		list = nouns_list_named(nouns, slice_from(name, 5));
	if (attribute)
		add(what, EXPORT_ATTRIBUTE, attribute->id);
	else if (list)
		add(what, EXPORT_LIST, list->id);
	return attribute || list;
}

static bool read_columns(struct contact_export *what, struct call *call, const struct nouns *nouns)
{
	struct slice value;
	u32 at = 0;

	/* Makes the form of the query, too. */
	if (call_query(call, "columns").len == 0) {
		add_all(what, nouns);
		return true;
	}
	while ((value = form_next(call->query_form, "columns", &at)).ptr) {
		while (value.len > 0) {
			struct slice name = slice_trim(slice_split(&value, ','));

			if (name.len == 0 || add_named(what, name, nouns))
				continue;
			call_refuse(call, 422, NULL, "there is no column %.*s",
				    SLICE_FMT(slice_first(name, 64)));
			return false;
		}
	}
	return true;
}

static bool read_encoding(struct contact_export *what, struct call *call)
{
	char name[16];

	if (!web_query_text(call, "encoding", name, sizeof(name)))
		return false;
	switch (name[0] ? import_encoding_of(slice_of(name)) : IMPORT_UTF8) {
	case IMPORT_UTF8:
		what->encoding = EXPORT_UTF8;
		return true;
	case IMPORT_SHIFT_JIS:
		what->encoding = EXPORT_CP932;
		return true;
	case IMPORT_UTF16LE:
		what->encoding = EXPORT_UTF16;
		return true;
	default:
		/* Without a word for the order of its bytes, the one that Windows has. */
		what->encoding = EXPORT_UTF16;
		if (slice_equal_nocase(slice_of(name), SLICE("utf-16")))
			return true;
		call_refuse(call, 422, NULL, "an export is in utf-8, utf-16 or cp932");
		return false;
	}
}

bool contact_export_read(struct contact_export *what, struct call *call, const struct nouns *nouns)
{
	const struct audience_list *list;
	char name[LIST_NAME_MAX + 1];

	if (!read_encoding(what, call) || !web_query_text(call, "list", name, sizeof(name)))
		return false;
	list = name[0] ? nouns_list_named(nouns, slice_of(name)) : NULL;
	if (name[0] && !list) {
		call_refuse(call, 422, NULL, "there is no such list");
		return false;
	}
	what->list = list ? list->id : 0;
	what->checks = call_query(call, "check").len > 0;
	return read_columns(what, call, nouns);
}
