/*
 * QR codes (ISO/IEC 18004) as pictures of pages: drawn by libqrencode, written as SVG within the
 * page, so that the secret in it is in no other answer.
 */
#ifndef WEB_QR_H
#define WEB_QR_H

#include "web/page.h"

/* Nothing is drawn when there is no memory, or the text is too long: the text stands beside it. */
void page_qr(struct page *page, struct slice text, const struct words *label);

#endif
