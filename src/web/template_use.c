#include "web/template_use.h"

#include "base/text.h"
#include "campaign/draft.h"
#include "store/audience_campaign.h"
#include "store/audience_sequence.h"
#include "web/stored_block.h"
#include "web/use_names.h"

struct search {
	struct audience_txn *txn;
	const struct audience_template *wanted;
	struct use_names names;
};

static bool has_block(const struct search *search, struct slice html, struct slice text)
{
	return search->wanted->kind == AUDIENCE_TEMPLATE_BLOCK &&
	       (stored_block_is_in(html, search->wanted->name) ||
		stored_block_is_in(text, search->wanted->name));
}

static enum store_result look_at_templates(struct search *search)
{
	struct audience_template_version version;
	struct audience_template one = { 0 };
	enum store_result result;

	while ((result = audience_template_after(search->txn, one.id, &one)) == STORE_OK) {
		if (one.id == search->wanted->id)
			continue;
		result = audience_template_version(search->txn, one.id, one.version, &version);
		if (result != STORE_OK)
			return result;
		if (has_block(search, version.of[AUDIENCE_TEMPLATE_HTML],
			  version.of[AUDIENCE_TEMPLATE_TEXT]))
			use_names_add(&search->names, "template", "テンプレート", one.name);
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

static bool is_used_by(const struct search *search, const struct draft *draft)
{
	u32 id;

	return (slice_to_u32(draft->of[DRAFT_TEMPLATE], &id) && id == search->wanted->id) ||
	       has_block(search, draft->of[DRAFT_HTML], draft->of[DRAFT_TEXT]);
}

static enum store_result look_at_campaigns(struct search *search)
{
	struct audience_campaign campaign = { 0 };
	enum store_result result;
	struct draft draft;

	while ((result = audience_campaign_after(search->txn, campaign.id, &campaign)) ==
	       STORE_OK) {
		if ((campaign.state == AUDIENCE_CAMPAIGN_DRAFT ||
		     campaign.state == AUDIENCE_CAMPAIGN_SCHEDULED) &&
		    draft_unpack(campaign.draft, &draft) && is_used_by(search, &draft))
			use_names_add(&search->names, "campaign", "キャンペーン", draft.of[DRAFT_NAME]);
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

/* Steps are campaigns of their own; they are sent with what templates are by then. */
static enum store_result look_at_steps(struct search *search)
{
	struct audience_sequence sequence = { 0 };
	struct audience_campaign campaign;
	enum store_result result;
	struct draft draft;

	while ((result = audience_sequence_after(search->txn, sequence.id, &sequence)) ==
	       STORE_OK) {
		bool is_used = false;

		if (sequence.state == AUDIENCE_SEQUENCE_ARCHIVED)
			continue;
		for (u32 i = 0; i < sequence.step_count && !is_used; i++)
			is_used = audience_campaign_get(search->txn, sequence.steps[i].id,
							&campaign) == STORE_OK &&
				  draft_unpack(campaign.draft, &draft) &&
				  is_used_by(search, &draft);
		if (is_used)
			use_names_add(&search->names, "step mail", "ステップメール",
				      sequence.of[SEQUENCE_NAME]);
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

enum store_result template_uses(struct audience_txn *txn, const struct audience_template *one,
				bool japanese, struct buf *who)
{
	struct search search = { .txn = txn,
				 .wanted = one,
				 .names = { .who = who, .japanese = japanese } };
	enum store_result result = look_at_templates(&search);

	if (result == STORE_OK)
		result = look_at_campaigns(&search);
	if (result == STORE_OK)
		result = look_at_steps(&search);
	use_names_end(&search.names);
	return result;
}
