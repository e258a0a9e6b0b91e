/* What the files of issue share; private to them. */
#ifndef CAMPAIGN_ISSUE_PARTS_H
#define CAMPAIGN_ISSUE_PARTS_H

#include "campaign/issue.h"
#include "message/part_writer.h"

/* The images of a draft: where they lead, or the parts that they become. */
struct issue_images {
	struct mail_images images;
	char boundary[PART_BOUNDARY_SIZE];
	struct buf html; /* the draft's, with other addresses */
};

/* Also after a failure issue_images_done. */
bool issue_images_make(struct issue_images *images, const struct issue *issue,
		       const struct draft *draft, const struct issue_facts *facts,
		       struct error *error) MUST_CHECK;
void issue_images_done(struct issue_images *images);
/* With images in the mail itself: headers, texts and images as one template. */
bool issue_add_whole(struct issue *issue, const struct issue_images *images,
		     struct error *error) MUST_CHECK;

#endif
