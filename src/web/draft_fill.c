#include "web/draft_fill.h"

#include "base/text.h"
#include "store/row_values.h"
#include "web/stored_block.h"

/* Places in the record of kept texts: new ones come last. */
static const enum draft_field kept[] = { DRAFT_SUBJECT, DRAFT_PREHEADER, DRAFT_TEXT, DRAFT_HTML,
					 DRAFT_SUBJECT_B };

bool draft_is_open(const struct draft *draft)
{
	return draft->of[DRAFT_TEMPLATE].len > 0 ||
	       stored_blocks_are_in(draft->of[DRAFT_TEXT]) ||
	       stored_blocks_are_in(draft->of[DRAFT_HTML]);
}

/* Both contents are refused where drafts are checked. */
static bool take_template(struct draft *draft, struct audience_txn *txn, struct error *error)
{
	struct audience_template_version version;
	struct audience_template one;
	u32 id;

	if (!slice_to_u32(draft->of[DRAFT_TEMPLATE], &id) ||
	    audience_template_get(txn, id, &one) != STORE_OK ||
	    audience_template_version(txn, id, one.version, &version) != STORE_OK)
		return error_set(error, "there is no such template");
	if (one.kind != AUDIENCE_TEMPLATE_MAIL)
		return error_set(error, "the template \"%.*s\" is %s", SLICE_FMT(one.name),
				 one.kind == AUDIENCE_TEMPLATE_BLOCK ? "a block" :
								       "one of programs");
	draft->of[DRAFT_TEMPLATE] = SLICE("");
	draft->of[DRAFT_TEXT] = version.of[AUDIENCE_TEMPLATE_TEXT];
	draft->of[DRAFT_HTML] = version.of[AUDIENCE_TEMPLATE_HTML];
	if (draft->of[DRAFT_SUBJECT].len == 0)
		draft->of[DRAFT_SUBJECT] = version.of[AUDIENCE_TEMPLATE_SUBJECT];
	if (draft->of[DRAFT_PREHEADER].len == 0)
		draft->of[DRAFT_PREHEADER] = version.of[AUDIENCE_TEMPLATE_PREHEADER];
	return true;
}

/* Views of the store go with its transaction; drafts may live longer. */
static bool copy_texts(struct draft *draft, struct arena *arena)
{
	for (size_t i = 0; i < array_count(kept); i++) {
		struct slice copy = arena_copy(arena, draft->of[kept[i]]);

		if (!copy.ptr)
			return false;
		draft->of[kept[i]] = copy;
	}
	return true;
}

bool draft_fill(struct draft *draft, struct audience_txn *txn, struct arena *arena,
		enum draft_field *field, struct error *error)
{
	struct draft filled = *draft;
	struct stored_blocks blocks;
	bool has_text = draft->of[DRAFT_TEXT].len > 0 || draft->of[DRAFT_HTML].len > 0;

	if (!draft_is_open(draft))
		return true;
	*field = DRAFT_TEMPLATE;
	if (draft->of[DRAFT_TEMPLATE].len > 0 && has_text)
		return true; /* for draft_check to refuse */
	if (draft->of[DRAFT_TEMPLATE].len > 0 && !take_template(&filled, txn, error))
		return false;
	stored_blocks_init(&blocks, txn, arena);
	*field = DRAFT_HTML;
	if (!stored_blocks_expand(&blocks, "mail (html)", filled.of[DRAFT_HTML], true,
				  &filled.of[DRAFT_HTML], error))
		return false;
	*field = DRAFT_TEXT;
	if (!stored_blocks_expand(&blocks, "mail (text)", filled.of[DRAFT_TEXT], false,
				  &filled.of[DRAFT_TEXT], error))
		return false;
	if (!copy_texts(&filled, arena))
		return error_set(error, "no memory for the texts of templates");
	*draft = filled;
	return true;
}

void draft_texts_pack(const struct draft *draft, struct buf *out)
{
	struct slice texts[array_count(kept)];

	for (size_t i = 0; i < array_count(kept); i++)
		texts[i] = draft->of[kept[i]];
	row_values_pack(out, texts, array_count(kept));
}

bool draft_texts_unpack(struct slice packed, struct arena *arena, struct draft *draft)
{
	struct slice texts[array_count(kept)];

	if (!row_values_unpack(packed, texts, array_count(kept)))
		return false;
	for (size_t i = 0; i < array_count(kept); i++)
		draft->of[kept[i]] = texts[i];
	draft->of[DRAFT_TEMPLATE] = SLICE("");
	return copy_texts(draft, arena);
}
