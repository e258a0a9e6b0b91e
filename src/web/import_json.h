/* An import and its plan as JSON, and plans that were given. */
#ifndef WEB_IMPORT_JSON_H
#define WEB_IMPORT_JSON_H

#include "campaign/import_guess.h"
#include "store/audience_import.h"
#include "web/call.h"
#include "web/noun.h"

/* NULL: no memory. */
json_t *import_json(const struct import *import, const struct nouns *nouns);

/* An attribute that a column is to become. */
struct import_new {
	u32 column;
	enum attribute_type type;
	char name[ATTRIBUTE_NAME_MAX + 1];
	char label_ja[ATTRIBUTE_LABEL_MAX + 1];
};

/* What is to be done, as a call says it: names are ids, new attributes are still to be made. */
struct import_plan {
	enum import_encoding encoding; /* 0: as it was */
	char delimiter;		       /* 0: as it was */
	enum import_update update;
	bool skips_suppressed;
	u32 column_count;
	struct import_column columns[IMPORT_COLUMNS_MAX];
	u32 new_count;
	struct import_new news[IMPORT_COLUMNS_MAX];
	u32 list_count;
	u16 lists[IMPORT_LISTS_MAX];
	bool has_consent;
	bool starts_sequences;
	u64 consent_ms;
	char consent_source[IMPORT_SOURCE_MAX + 1];
	char consent_text[IMPORT_CONSENT_MAX + 1];
};

/*
 * Of new attributes, what import.news keeps: into `out`. False: they are too long together, or
 * there is no memory.
 */
bool import_plan_pack_news(const struct import_plan *plan, struct buf *out) MUST_CHECK;

/* False: the call is answered. `plan` is zero. */
bool import_plan_read(struct import_plan *plan, struct call *call, const json_t *json,
		      const struct nouns *nouns) MUST_CHECK;

#endif
