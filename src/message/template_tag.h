/*
 * Where a tag of the template language ends: `{{name|default:"x"}}`, `{{#if a = "}}"}}`,
 * `{{>block}}`. Whatever else reads a template's text (HTML walkers, say) passes over tags as
 * wholes by this.
 */
#ifndef MESSAGE_TEMPLATE_TAG_H
#define MESSAGE_TEMPLATE_TAG_H

#include "base/types.h"

/*
 * Length of what begins with `{{` at the front of `text`: a tag with its `}}`, or 4 for `{{{{`, two
 * literal braces. 0: no braces, or no tag, since it does not end on its line. A tag is one line;
 * `{`, `\` and line ends stand inside it only in double quotes (but for the line end: nowhere).
 * Asked at every `{{` of a text, all answers together cost a few passes over it.
 */
size_t template_tag_length(struct slice text);

#endif
