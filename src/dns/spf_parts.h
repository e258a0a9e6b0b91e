/*
 * What the parts of the SPF evaluation say to each other: spf.c walks through records, spf_match.c
 * decides whether one mechanism matches. For nobody else.
 */
#ifndef DNS_SPF_PARTS_H
#define DNS_SPF_PARTS_H

#include "dns/spf.h"
#include "dns/spf_record.h"

/* A record under evaluation. */
struct spf_frame {
	const char *domain; /* that the record belongs to */
	bool is_included;   /* its explanation is nobody's */
};

enum spf_match { SPF_MATCH_NO, SPF_MATCH_YES, SPF_MATCH_ERROR };

/* Notes why, and returns the result that it is given. `term` may be empty. */
enum spf_result spf_wrong(struct spf *spf, enum spf_result result, enum spf_reason reason,
			  struct slice term);

/* A name that DNS can be asked for; no final dot. `is_sender`: it has more than one label. */
bool spf_name_is_valid(struct slice name, bool is_sender);

/*
 * The domain-spec of a term with its macros expanded (the domain itself where it has none), no
 * final dot, cut on the left to 253 bytes (section 7.3). 0: that is no name; -1: *error.
 */
int spf_target(struct spf *spf, const struct spf_frame *frame, struct slice spec,
	       char name[QUESTION_NAME_SIZE], enum spf_result *error) MUST_CHECK;

/* Appends an explanation or a domain-spec with its macros expanded; false: *error. */
bool spf_expand(struct spf *spf, const struct spf_frame *frame, struct slice text, struct buf *out,
		enum spf_result *error) MUST_CHECK;

/* a, mx, ptr, exists. On ERROR *error is the result of all. */
enum spf_match spf_match_hosts(struct spf *spf, const struct spf_frame *frame,
			       const struct spf_term *term, enum spf_result *error);

#endif
