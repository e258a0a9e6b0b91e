#include "web/image_need.h"

#include "base/text.h"
#include "campaign/mail_image.h"
#include "store/audience_campaign.h"
#include "store/audience_campaign_text.h"
#include "store/audience_sequence.h"
#include "web/draft_fill.h"

#define ARENA_FIRST (64u << 10)
#define PREFIX "/i/"

struct search {
	struct audience_txn *txn;
	struct slice path; /* "/i/ID" */
	struct use_names names;
};

static bool is_under_way(const struct audience_campaign *campaign)
{
	return campaign->state == AUDIENCE_CAMPAIGN_SCHEDULED ||
	       campaign->state == AUDIENCE_CAMPAIGN_RUNNING ||
	       campaign->state == AUDIENCE_CAMPAIGN_SENDING ||
	       campaign->state == AUDIENCE_CAMPAIGN_PAUSED;
}

/* What their templates were when they were scheduled is kept with them. */
static enum store_result look_at_campaigns(struct search *search)
{
	struct audience_campaign campaign = { 0 };
	enum store_result result;
	struct draft draft;
	struct slice texts;

	while ((result = audience_campaign_after(search->txn, campaign.id, &campaign)) ==
	       STORE_OK) {
		if (!is_under_way(&campaign))
			continue;
		result = campaign_text_get(search->txn, campaign.id, &texts);
		if (result == STORE_NOT_FOUND)
			texts = campaign.draft;
		else if (result != STORE_OK)
			return result;
		if (slice_find(texts, search->path) >= 0)
			use_names_add(&search->names, "campaign", "キャンペーン",
				      draft_unpack(campaign.draft, &draft) ? draft.of[DRAFT_NAME] :
									     SLICE(""));
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

/* Steps are sent with what templates are by then. One that cannot be filled is not sent so, too. */
static bool is_in_step(struct search *search, const struct audience_campaign *step)
{
	enum draft_field field;
	struct error error;
	struct arena arena;
	struct draft draft;
	bool is_in = slice_find(step->draft, search->path) >= 0;

	if (is_in || !draft_unpack(step->draft, &draft) || !draft_is_open(&draft))
		return is_in;
	arena_init(&arena, ARENA_FIRST, DRAFT_FILL_ARENA_MAX);
	is_in = draft_fill(&draft, search->txn, &arena, &field, &error) &&
		(slice_find(draft.of[DRAFT_HTML], search->path) >= 0 ||
		 slice_find(draft.of[DRAFT_TEXT], search->path) >= 0);
	arena_done(&arena);
	return is_in;
}

static enum store_result look_at_sequences(struct search *search)
{
	struct audience_sequence sequence = { 0 };
	struct audience_campaign step;
	enum store_result result;

	while ((result = audience_sequence_after(search->txn, sequence.id, &sequence)) ==
	       STORE_OK) {
		bool is_in = false;

		if (sequence.state != AUDIENCE_SEQUENCE_RUNNING &&
		    sequence.state != AUDIENCE_SEQUENCE_PAUSED)
			continue;
		for (u32 i = 0; i < sequence.step_count && !is_in; i++)
			is_in = audience_campaign_get(search->txn, sequence.steps[i].id, &step) ==
					STORE_OK &&
				is_in_step(search, &step);
		if (is_in)
			use_names_add(&search->names, "step mail", "ステップメール",
				      sequence.of[SEQUENCE_NAME]);
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

enum store_result image_needs(struct audience_txn *txn, const u8 id[ASSET_ID_SIZE], bool japanese,
			      char who[USE_NAMES_MAX])
{
	char path[sizeof(PREFIX) - 1 + MAIL_IMAGE_ID_TEXT] = PREFIX;
	struct search search = { .txn = txn, .path = { path, sizeof(path) - 1 } };
	enum store_result result;
	struct buf names;

	mail_image_id_text(path + sizeof(PREFIX) - 1, id);
	buf_init(&names, USE_NAMES_MAX - 1);
	search.names = (struct use_names){ .who = &names, .japanese = japanese };
	result = look_at_campaigns(&search);
	if (result == STORE_OK)
		result = look_at_sequences(&search);
	use_names_end(&search.names);
	if (names.failed)
		result = STORE_FULL;
	slice_copy(who, USE_NAMES_MAX, buf_slice(&names));
	buf_done(&names);
	return result;
}
