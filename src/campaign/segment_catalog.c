#include "campaign/segment_catalog.h"

#include "store/audience_attribute.h"
#include "store/audience_list.h"

static bool is_there(struct segment_catalog *catalog, enum store_result result)
{
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		catalog->result = result;
	return result == STORE_OK;
}

static bool find_attribute(void *owner, struct segment_named *named)
{
	static const enum segment_type types[ATTRIBUTE_TYPES] = {
		[ATTRIBUTE_TEXT] = SEGMENT_TEXT,   [ATTRIBUTE_NUMBER] = SEGMENT_NUMBER,
		[ATTRIBUTE_DATE] = SEGMENT_DATE,   [ATTRIBUTE_CHOICE] = SEGMENT_TEXT,
		[ATTRIBUTE_YES_NO] = SEGMENT_YES_NO,
	};
	struct segment_catalog *catalog = owner;
	struct attribute attribute;
	enum store_result result = STORE_NOT_FOUND;

	if (named->name.ptr)
		result = attribute_find(catalog->txn, named->name, &attribute);
	else if (named->id <= UINT16_MAX)
		result = attribute_get(catalog->txn, (u16)named->id, &attribute);
	if (!is_there(catalog, result))
		return false;
	*named = (struct segment_named){ attribute.name, attribute.id, types[attribute.type] };
	return true;
}

static bool find_list(void *owner, struct segment_named *named)
{
	struct segment_catalog *catalog = owner;
	struct audience_list list;
	enum store_result result = STORE_NOT_FOUND;

	if (named->name.ptr)
		result = audience_list_find(catalog->txn, named->name, &list);
	else if (named->id <= UINT16_MAX)
		result = audience_list_get(catalog->txn, (u16)named->id, &list);
	if (!is_there(catalog, result))
		return false;
	*named = (struct segment_named){ .name = list.name, .id = list.id };
	return true;
}

void segment_catalog_init(struct segment_catalog *catalog, struct audience_txn *txn)
{
	*catalog = (struct segment_catalog){ .txn = txn,
					     .names = { catalog, find_attribute, find_list } };
}

struct segment *segment_load(struct audience_txn *txn, u32 id, enum store_result *result,
			     struct segment_problem *problem)
{
	struct segment_catalog catalog;
	struct audience_segment kept;
	struct segment *segment;

	*result = audience_segment_get(txn, id, &kept);
	if (*result != STORE_OK)
		return NULL;
	segment_catalog_init(&catalog, txn);
	segment = segment_of_text(kept.text, &catalog.names, problem);
	*result = catalog.result;
	return segment;
}
