/*
 * Paths of the customer's own pages, below the folder that `site` of section www names: nothing
 * that could lead elsewhere, and nothing that a web server hides.
 */
#ifndef BASE_SITE_PATH_H
#define BASE_SITE_PATH_H

#include "base/types.h"

#define SITE_PATH_MAX 240 /* bytes */
#define SITE_DEPTH_MAX 8  /* names, the file's among them */

/* Letters, digits and . _ -, not at the start; ".well-known" (RFC 8615) is a folder's. */
bool site_name_is_valid(struct slice name, bool is_folder);

/* Of a file: "news/index.html". */
bool site_path_is_valid(struct slice path);

#endif
