/*
 * How values compare: text without regard to case, numbers by their digits, so that nothing is lost
 * by rounding.
 */
#ifndef CAMPAIGN_SEGMENT_MATCH_H
#define CAMPAIGN_SEGMENT_MATCH_H

#include "base/types.h"

/*
 * `text` in lower case, for comparing (base/utf8.h utf8_lower), in `out` of as many bytes: no code
 * point has a longer one. Bytes that are no UTF-8 stay. Returns the length.
 */
size_t segment_fold(char *out, struct slice text);

/*
 * "-12.5" of "-0012.50", "0" of "-0.0": into `out` of text.len + 1 bytes. The length, or 0: no
 * number.
 */
size_t segment_number_form(char *out, struct slice text);
/* Of two such forms: less than, equal to or greater than 0, as a to b. */
int segment_number_order(struct slice a, struct slice b);

#endif
