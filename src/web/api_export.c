/* /api/v1/contacts/export: contacts as a table, of all, of a list, or of a condition. */
#include "web/contact_export.h"
#include "web/route.h"

void api_contacts_export(struct call *call)
{
	struct contact_export what = { 0 };
	struct nouns *nouns;
	struct error error;
	bool good;

	if (!nouns_begin(call, &nouns))
		return;
	good = contact_export_read(&what, call, nouns);
	if (good && !contact_export_narrow(&what, call, &error)) {
		call_refuse(call, 422, NULL, "segment: %s", error.text);
		good = false;
	}
	nouns_end(call, nouns);
	if (good)
		contact_export_answer(call, &what);
}
