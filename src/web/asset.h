/*
 * Files that pages need: style, script, icon, and what draws charts (uPlot). Part of the program;
 * the name of each has a digest of its content, so that browsers may keep it for ever.
 */
#ifndef WEB_ASSET_H
#define WEB_ASSET_H

#include "base/types.h"

enum asset { ASSET_STYLE, ASSET_SCRIPT, ASSET_ICON, ASSET_CHART, ASSET_CHART_STYLE };
#define ASSETS 5

/* "/assets/style-0123456789abcdef.css"; for any thread. */
struct slice asset_path(enum asset asset);

#endif
