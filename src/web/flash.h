/*
 * A message that the next page shows once: what became of a POST. It travels in a cookie of its
 * own, so it needs no memory here; whoever forges his own cookie reads his own text, escaped.
 */
#ifndef WEB_FLASH_H
#define WEB_FLASH_H

#include "web/page.h"

#define FLASH_COOKIE "__Host-flash"
#define FLASH_TEXT_MAX 400 /* bytes */

/* Sets the cookie in the answer's head, which is not sent yet. */
void flash_set(struct call *call, enum page_tone tone, struct slice text);
/* Shows the message that the request brought, if any, and takes its cookie away. */
void flash_show(struct page *page);

#endif
