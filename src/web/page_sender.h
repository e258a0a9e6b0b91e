/* What several pages show of the sender's answers. */
#ifndef WEB_PAGE_SENDER_H
#define WEB_PAGE_SENDER_H

#include "base/smtp_class.h"
#include "web/page.h"

/* A member of an answer; 0 and "" when it is not there, negative, or of another kind. */
u64 page_sender_number(const json_t *object, const char *name);
struct slice page_sender_text(const json_t *object, const char *name);

struct page_sites {
	struct words title;
	struct words nothing; /* instead of a table without rows */
	struct words reason;  /* heading of the last column */
	size_t most;          /* rows */
};
/* What replies mean: page_campaign_report.c. */
extern const struct words page_class_words[SMTP_CLASS_COUNT];
/* Cards with what became of mail, by the days and the receiver of the query: page_arrivals.c. */
void page_arrivals(struct page *page);
/* A card with the receivers of `site.list`. */
void page_sites(struct page *page, const json_t *sites, const struct page_sites *told);

#endif
