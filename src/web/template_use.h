/* Who names a template: what keeps it from being deleted, and a block from getting another name. */
#ifndef WEB_TEMPLATE_USE_H
#define WEB_TEMPLATE_USE_H

#include "base/buf.h"
#include "store/audience_template.h"

/*
 * Appends who uses it: newest versions of other templates, campaigns that are drafts or scheduled
 * (they may become drafts again), step mail: template "Page", campaign "December". Nothing: nobody.
 */
enum store_result template_uses(struct audience_txn *txn, const struct audience_template *one,
				bool japanese, struct buf *who) MUST_CHECK;

#endif
