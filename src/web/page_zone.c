/* Choosing a time zone: by its name, grouped by region, with how far it is from UTC. */
#include "base/text.h"
#include "campaign/time_zone.h"
#include "web/page.h"

#include <stdio.h>

#define LABEL_SIZE 80

enum word { OTHERS, WORD_COUNT };

static const struct words words[WORD_COUNT] = {
	[OTHERS] = { { "Others", "その他" } },
};

/* "Asia" of "Asia/Tokyo"; empty: it is of no region. */
static struct slice region_of(struct slice name)
{
	i64 slash = slice_find_char(name, '/');

	return slash > 0 ? slice_first(name, (size_t)slash) : SLICE("");
}

/* Typing finds an option by how its text begins, so the city comes first: "Tokyo (UTC+09:00)". */
static void show_option(struct page *page, const char *name, struct slice chosen)
{
	struct slice city = slice_of(name);
	struct slice region = region_of(city);
	struct time_zone zone;
	char label[LABEL_SIZE];
	u32 minutes;

	if (!time_zone_find(city, &zone))
		return;
	if (region.len > 0)
		city = slice_from(city, region.len + 1);
	minutes = (u32)(zone.standard_s < 0 ? -zone.standard_s : zone.standard_s) / 60;
	snprintf(label, sizeof(label), "%.*s (UTC%c%02u:%02u)", SLICE_FMT(city),
		 zone.standard_s < 0 ? '-' : '+', minutes / 60, minutes % 60);
	for (char *c = label; *c; c++)
		*c = *c == '_' ? ' ' : *c;
	page_option_text(page, slice_of(name), slice_of(label),
			 slice_equal_nocase(chosen, slice_of(name)));
}

/* Those of one region follow each other in the order of names. */
static void show_regions(struct page *page, struct slice chosen)
{
	struct slice open = SLICE("");

	for (size_t i = 0; time_zone_name_at(i); i++) {
		struct slice region = region_of(slice_of(time_zone_name_at(i)));

		if (region.len == 0)
			continue;
		if (!slice_equal(region, open)) {
			if (open.len > 0)
				page_option_group_end(page);
			page_option_group_begin(page, region);
			open = region;
		}
		show_option(page, time_zone_name_at(i), chosen);
	}
	if (open.len > 0)
		page_option_group_end(page);
}

void page_zone(struct page *page, const struct page_field *field)
{
	page_select_begin(page, field);
	page_option_group_begin(page, slice_of(words[OTHERS].text[page->language]));
	for (size_t i = 0; time_zone_name_at(i); i++) {
		if (region_of(slice_of(time_zone_name_at(i))).len == 0)
			show_option(page, time_zone_name_at(i), field->value);
	}
	page_option_group_end(page);
	show_regions(page, field->value);
	page_select_end(page);
}
