#include "base/config_file.h"

#include "base/config.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(enum config_log) == sizeof(u32), "choices are stored as u32");
_Static_assert(sizeof(enum config_tls) == sizeof(u32), "choices are stored as u32");
_Static_assert(sizeof(enum config_dots) == sizeof(u32), "choices are stored as u32");
_Static_assert(sizeof(enum config_notice) == sizeof(u32), "choices are stored as u32");
_Static_assert(sizeof(enum config_durability) == sizeof(u32), "choices are stored as u32");

struct unit {
	u64 factor;
	const char *name;
};

/* Durations and sizes of the tables' limits, in the largest unit that divides them. */
static void format_in_units(char out[24], u64 value, const struct unit *units)
{
	while (value % units->factor != 0 || value == 0) {
		if (units->factor == 1)
			break;
		units++;
	}
	snprintf(out, 24, "%llu%s", (unsigned long long)(value / units->factor), units->name);
}

static const struct unit duration_units[] = {
	{ 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" },
};
static const struct unit size_units[] = {
	{ 1ull << 40, "T" }, { 1ull << 30, "G" }, { 1ull << 20, "M" },
	{ 1ull << 10, "K" }, { 1, "" },
};
static const struct unit no_units[] = { { 1, "" } };

static bool read_measure(const struct config_option *option, struct slice text, u64 *value,
			 struct config_why *why)
{
	const struct unit *units = no_units;
	const char *what = "a number";
	char min[24];
	char max[24];
	bool fine;

	if (option->kind == CONFIG_SIZE) {
		fine = config_size(text, value);
		units = size_units;
		what = "a size";
	} else if (option->kind == CONFIG_NUMBER) {
		fine = slice_to_u64(text, value);
	} else {
		fine = slice_to_duration_ms(text, value);
		units = duration_units;
		what = "a duration";
	}
	if (fine && *value >= option->min && *value <= option->max)
		return true;
	format_in_units(min, option->min, units);
	format_in_units(max, option->max, units);
	snprintf(why->text, sizeof(why->text), "%s from %s to %s", what, min, max);
	return false;
}

static bool read_choice(const struct config_option *option, struct slice text, u32 *choice)
{
	for (u32 i = 0; option->choices[i]; i++) {
		if (slice_equal(text, slice_of(option->choices[i]))) {
			*choice = i;
			return true;
		}
	}
	return false;
}

static bool read_flag(struct slice text, bool *flag)
{
	*flag = slice_equal(text, SLICE("true"));
	return *flag || slice_equal(text, SLICE("false"));
}

bool config_value(const struct config_option *option, struct slice text, void *field,
		  struct arena *arena, struct config_why *why)
{
	const char *shaped;
	u64 measure = 0;

	snprintf(why->text, sizeof(why->text), "%s",
		 option->kind == CONFIG_FLAG ? "true or false" : option->expects);
	switch (option->kind) {
	case CONFIG_FLAG:
		return read_flag(text, field);
	case CONFIG_CHOICE:
		return read_choice(option, text, field);
	case CONFIG_TEXT:
	case CONFIG_LIST:
		shaped = option->shape(arena, text);
		memcpy(field, &shaped, sizeof(shaped));
		return shaped != NULL;
	case CONFIG_NUMBER:
		if (!read_measure(option, text, &measure, why))
			return false;
		memcpy(field, &(u32){ (u32)measure }, sizeof(u32));
		return true;
	case CONFIG_DURATION:
	case CONFIG_DURATIONS:
	case CONFIG_SIZE:
		if (!read_measure(option, text, &measure, why))
			return false;
		memcpy(field, &measure, sizeof(measure));
		return true;
	}
	return false;
}

void config_value_format(const struct config_option *option, const void *field, struct buf *out)
{
	const struct config_list *list = field;
	const u64 *measures = field;
	char text[24];

	switch (option->kind) {
	case CONFIG_FLAG:
		buf_add_text(out, *(const bool *)field ? "true" : "false");
		break;
	case CONFIG_NUMBER:
		buf_add_u64(out, *(const u32 *)field);
		break;
	case CONFIG_CHOICE:
		buf_add_text(out, option->choices[*(const u32 *)field]);
		break;
	case CONFIG_TEXT:
		buf_add_text(out, *(const char *const *)field ? *(const char *const *)field : "");
		break;
	case CONFIG_DURATION:
		format_in_units(text, *measures, duration_units);
		buf_add_text(out, text);
		break;
	case CONFIG_SIZE:
		format_in_units(text, *measures, size_units);
		buf_add_text(out, text);
		break;
	case CONFIG_LIST:
		for (size_t i = 0; i < list->count; i++)
			buf_add_format(out, "%s%s", i > 0 ? " " : "", list->items[i]);
		break;
	case CONFIG_DURATIONS:
		measures = ((const struct config_durations *)field)->ms;
		for (size_t i = 0; i < ((const struct config_durations *)field)->count; i++) {
			format_in_units(text, measures[i], duration_units);
			buf_add_format(out, "%s%s", i > 0 ? " " : "", text);
		}
		break;
	}
}
