/* /api/v1/contacts/export: contacts as a table. */
#include "base/text.h"
#include "campaign/import_guess.h"
#include "web/contact_export.h"
#include "web/noun.h"
#include "web/query.h"
#include "web/route.h"

void api_contacts_export(struct call *call)
{
	const struct audience_list *list;
	struct contact_export what = { 0 };
	char name[LIST_NAME_MAX + 1];
	char encoding[16];
	struct nouns *nouns;
	bool is_there;

	if (!web_query_text(call, "list", name, sizeof(name)) ||
	    !web_query_text(call, "encoding", encoding, sizeof(encoding)) ||
	    !nouns_begin(call, &nouns))
		return;
	list = name[0] ? nouns_list_named(nouns, slice_of(name)) : NULL;
	is_there = list || !name[0];
	what.list = list ? list->id : 0;
	nouns_end(call, nouns);
	what.is_cp932 = import_encoding_of(slice_of(encoding)) == IMPORT_SHIFT_JIS;
	if (!is_there)
		call_refuse(call, 422, NULL, "there is no such list");
	else if (encoding[0] && !what.is_cp932 &&
		 import_encoding_of(slice_of(encoding)) != IMPORT_UTF8)
		call_refuse(call, 422, NULL, "an export is in utf-8 or cp932");
	else
		contact_export_answer(call, &what);
}
