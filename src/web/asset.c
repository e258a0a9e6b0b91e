#include "web/asset.h"

#include "base/crypto.h"
#include "base/text.h"
#include "web/route.h"
#include "web/take_in.h"

#include <pthread.h>
#include <stdio.h>

#define DIGEST_BYTES 8
#define PATH_MAX_SIZE 64

TAKE_IN(style, "src/web/style.css");
TAKE_IN(script, "src/web/script.js");
TAKE_IN(icon, "src/web/icon.svg");
TAKE_IN(chart, "build/vendor/node_modules/uplot/dist/uPlot.iife.min.js");
TAKE_IN(chart_style, "build/vendor/node_modules/uplot/dist/uPlot.min.css");

struct file {
	const char *bytes;
	const u64 *size;
	const char *name;
	const char *ending;
	const char *type;
};

static const struct file files[ASSETS] = {
	[ASSET_STYLE] = { asset_style, &asset_style_size, "style", ".css",
			  "text/css; charset=utf-8" },
	[ASSET_SCRIPT] = { asset_script, &asset_script_size, "script", ".js",
			   "text/javascript; charset=utf-8" },
	[ASSET_ICON] = { asset_icon, &asset_icon_size, "icon", ".svg", "image/svg+xml" },
	[ASSET_CHART] = { asset_chart, &asset_chart_size, "chart", ".js",
			  "text/javascript; charset=utf-8" },
	[ASSET_CHART_STYLE] = { asset_chart_style, &asset_chart_style_size, "chart", ".css",
				"text/css; charset=utf-8" },
};

static char paths[ASSETS][PATH_MAX_SIZE];
static pthread_once_t named = PTHREAD_ONCE_INIT;

static void name_files(void)
{
	for (u32 i = 0; i < ASSETS; i++) {
		const struct file *file = &files[i];
		u8 digest[SHA256_SIZE];
		char hex[2 * DIGEST_BYTES];
		struct sha256 hash;

		sha256_init(&hash);
		sha256_add(&hash, file->bytes, *file->size);
		sha256_finish(&hash, digest);
		hex_encode(hex, digest, DIGEST_BYTES);
		snprintf(paths[i], sizeof(paths[i]), "/assets/%s-%.*s%s", file->name,
			 (int)sizeof(hex), hex, file->ending);
	}
}

struct slice asset_path(enum asset asset)
{
	pthread_once(&named, name_files);
	return slice_of(paths[asset]);
}

void page_asset(struct call *call)
{
	for (u32 i = 0; i < ASSETS; i++) {
		struct slice path = asset_path((enum asset)i);

		if (!slice_equal(slice_from(path, strlen("/assets/")), slice_of(call->argument)))
			continue;
		call->is_lasting = true;
		call_answer_text(call, 200, files[i].type,
				 (struct slice){ files[i].bytes, *files[i].size });
		return;
	}
	call_refuse(call, 404, NULL, "there is no such file");
}
