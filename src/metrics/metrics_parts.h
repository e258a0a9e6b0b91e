/* Private to metrics/: parts of the page. */
#ifndef METRICS_METRICS_PARTS_H
#define METRICS_METRICS_PARTS_H

#include "base/buf.h"
#include "base/types.h"

/* The folder that metrics_set_textfiles named, or NULL. */
struct metrics;
const char *metrics_textfiles(const struct metrics *metrics);

/* Appends what the *.prom files of `folder` hold; a file that is no page is left out. */
void metrics_add_textfiles(const char *folder, bool openmetrics, struct buf *out);

#endif
