/* Private to metrics/: parts of the page. */
#ifndef METRICS_METRICS_PARTS_H
#define METRICS_METRICS_PARTS_H

#include "base/buf.h"
#include "base/types.h"
#include "metrics/lines.h"

/* The folder that metrics_set_textfiles named, or NULL. */
struct metrics;
const char *metrics_textfiles(const struct metrics *metrics);

/* Appends what the *.prom files of `folder` hold; a file that is no page is left out. */
void metrics_add_textfiles(const char *folder, bool openmetrics, struct buf *out);

/* ---- exposition.c ---- */
struct page;
/* Comments in front of a metric's samples. */
void page_family(struct page *page, const char *name, enum metric_type type, const char *help);
/* A sample with one label. */
void page_labelled(struct page *page, const char *name, enum metric_type type, const char *label,
		   const char *text, u64 value);

/* ---- exposition_tls.c ---- */
void metrics_add_tls(struct page *page, const struct metrics *metrics);

/* ---- exposition_readers.c ---- */
struct metrics_planner;
void metrics_add_readers(struct page *page, const struct metrics_planner *planner);

#endif
