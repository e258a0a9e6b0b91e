/* What the pages about campaigns to contacts have in common. */
#ifndef WEB_PAGE_CAMPAIGN_H
#define WEB_PAGE_CAMPAIGN_H

#include "store/audience_campaign.h"
#include "web/words.h"

extern const struct words page_campaign_states[AUDIENCE_CAMPAIGN_STATES];

#endif
