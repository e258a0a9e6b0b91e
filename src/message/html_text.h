/*
 * A plain text made of an HTML text, for messages whose author wrote none: paragraphs, headings
 * (underlined), lists, quotations, tables row by row, links as "text <URL>", images by their alt.
 * What readers of the HTML do not see is left out: the head, scripts, comments with what
 * conditional ones hold, elements hidden by `hidden` or their style (a preheader, say).
 *
 * Both are templates. Merge fields, conditions and loops stand in the text where they stood in the
 * HTML; `raw` is taken off, and a field behind the ? of a URL gets `url`, as the HTML has it by
 * itself. In a numbered list whose items come from a loop `{{_index}}` counts.
 *
 * Lines are not wrapped: readers do that, and every encoding keeps long ones whole. White space is
 * one space, and none where a line ends between two Chinese or Japanese characters.
 */
#ifndef MESSAGE_HTML_TEXT_H
#define MESSAGE_HTML_TEXT_H

#include "base/buf.h"

struct html_token;
/* Whether the element, an opening tag, hides itself by an attribute. */
bool html_text_is_hidden(const struct html_token *token);

/* Appends the text; its last line has no line end. False: `out` is full, or memory. */
bool html_text_make(struct slice html, struct buf *out) MUST_CHECK;

#endif
